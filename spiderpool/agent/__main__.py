"""``python -m spiderpool.agent``."""

import sys

from spiderpool.agent.main import main

if __name__ == "__main__":
    sys.exit(main())
