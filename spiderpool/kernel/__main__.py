"""``python -m spiderpool.kernel``."""

from spiderpool.kernel.main import main

if __name__ == "__main__":
    main()
