"""`python -m brqos`, the same as the console script."""

from brqos.cli.main import main

if __name__ == "__main__":
    main()
