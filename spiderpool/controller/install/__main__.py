"""``python -m spiderpool.controller.install``."""

from __future__ import annotations

import sys

from spiderpool.controller.install.main import main

if __name__ == "__main__":
    sys.exit(main())
