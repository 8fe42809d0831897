"""``python -m spiderpool.ctl``: the same as ``spiderpoolctl``."""

import sys

from spiderpool.ctl.main import main

if __name__ == "__main__":
    sys.exit(main())
