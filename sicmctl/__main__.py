"""`python -m sicmctl` is the same as `sicmctl`."""

from sicmctl.cli.app import main

if __name__ == "__main__":
    main()
