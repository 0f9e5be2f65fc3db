"""``python -m skfashion``."""

from skfashion.cli import main

if __name__ == "__main__":
    main()
