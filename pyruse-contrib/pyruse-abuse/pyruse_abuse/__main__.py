"""The program ``pyruse-abuse``: sends the report that is on its standard input, as JSON."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence

from pyruse_abuse.options import KeyFile
from pyruse_abuse.web import SERVICES, RefusedError, send


def main(arguments: Sequence[str] | None = None) -> None:
    """Send a report; the exit code is 1, with a line that says why, where it was not taken."""
    parser = argparse.ArgumentParser("pyruse-abuse", description=__doc__)
    parser.add_argument("service", choices=SERVICES)
    parser.add_argument("--url", required=True, help="where the service is")
    parser.add_argument(
        "--key-file", required=True, type=KeyFile, help="the file with the key, on one line"
    )
    options = parser.parse_args(arguments)
    try:
        key = options.key_file.read()
        send(SERVICES[options.service], options.url, key, json.load(sys.stdin))
    except ValueError as fault:
        sys.exit(str(fault))
    except RefusedError as fault:
        sys.exit(f"{options.service} did not take the report: {fault}")


if __name__ == "__main__":
    main()
