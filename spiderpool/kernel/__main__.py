"""``python -m spiderpool.kernel``."""

import sys

from spiderpool.kernel.main import main

if __name__ == "__main__":
    sys.exit(main())
