"""``python -m spiderpool.controller``."""

from __future__ import annotations

import sys

from spiderpool.controller.main import main

if __name__ == "__main__":
    sys.exit(main())
