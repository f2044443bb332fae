"""`python -m kerasmark`: the command `kerasmark`."""

from __future__ import annotations

import sys

from kerasmark._start import main

if __name__ == "__main__":
    sys.exit(main())
