"""``python -m pyruse`` is the command ``pyruse``."""

from pyruse.cli import main

if __name__ == "__main__":
    main()
