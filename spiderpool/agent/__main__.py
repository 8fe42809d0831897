"""``python -m spiderpool.agent``."""

from spiderpool.agent.main import main

if __name__ == "__main__":
    main()
