"""The program ``pyruse-apprise``: sends what is on its standard input."""

from __future__ import annotations

import argparse
import logging
import re
import sys
import warnings
from collections.abc import Iterable, Sequence

from apprise import NotifyFormat, NotifyType

from pyruse_apprise.services import find
from pyruse_apprise.services_file import ServicesFile

_HTTP_CODE = re.compile(r"\berror=(\d{3})\b")


def main(arguments: Sequence[str] | None = None) -> None:
    """Send standard input; the exit code is 1, with a line that says why, where somebody lacks it.

    That line is going to be logged: it has names of services and codes, and nothing of a URL.
    """
    options = _parser().parse_args(arguments)
    _be_discreet(but_verbose=options.verbose)
    try:
        services = find(options.config, options.tag)
        if options.check:
            return
        result = services.notify(
            body=sys.stdin.read(),
            title=options.title,
            notify_type=NotifyType(options.type),
            body_format=NotifyFormat.TEXT,
            tag=options.tag,
        )
    except ValueError as fault:
        sys.exit(str(fault))
    failed = [
        f"{service.name} ({_reason(line.message for line in service.logs())})"
        for service in result
        if not service
    ]
    if failed:
        sys.exit(f"not taken by {', '.join(failed)}")
    if not result:
        sys.exit("nothing was sent (expected a message)")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser("pyruse-apprise", description=__doc__)
    parser.add_argument(
        "--config", required=True, type=ServicesFile, help="the file with the URLs of services"
    )
    parser.add_argument("--tag", default="all", help="those of them that have this tag")
    parser.add_argument("--title", default="Pyruse")
    parser.add_argument("--type", default="info", choices=[kind.value for kind in NotifyType])
    parser.add_argument("--check", action="store_true", help="send nothing, look at the file only")
    parser.add_argument(
        "--verbose", action="store_true", help="tell all that Apprise does, secrets included"
    )
    return parser


def _be_discreet(*, but_verbose: bool) -> None:
    """Keep libraries from writing to standard error, where Python puts what nobody listens to.

    Apprise, and urllib3 under it, log hosts and paths of URLs.
    """
    if but_verbose:
        logging.basicConfig(level=logging.DEBUG)
        return
    logging.getLogger().addHandler(logging.NullHandler())
    warnings.simplefilter("ignore")
    sys.excepthook = lambda kind, *_: sys.stderr.write(f"{kind.__name__} inside of Apprise\n")


def _reason(lines: Iterable[str]) -> str:
    codes = {code for line in lines for code in _HTTP_CODE.findall(line)}
    return f"HTTP {', '.join(sorted(codes))}" if codes else "no answer, or no delivery"


if __name__ == "__main__":
    main()
