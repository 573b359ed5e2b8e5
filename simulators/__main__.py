"""`python -m simulators`: serve a virtual rig."""

import sys

from simulators.lab import main

if __name__ == "__main__":
    sys.exit(main())
