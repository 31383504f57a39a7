"""The program ``pyruse``, and ``python -m pyruse``."""

from pyruse.system.collector import collect_seldom


def main() -> None:
    """Run a command (see `pyruse.cli`)."""
    collect_seldom()  # before the imports, which make most of what stays
    from pyruse.cli import main

    main()


if __name__ == "__main__":
    main()
