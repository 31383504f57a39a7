"""The services that a file of URLs names, by Apprise.

What Apprise logs may hold secrets: hosts, paths and parameters of URLs are tokens for many of its
services. So none of its words are passed on, but numbers of lines and codes of HTTP.
"""

from __future__ import annotations

import logging
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import quote

from apprise import Apprise, AppriseAsset, AppriseConfig

from pyruse_apprise.services_file import ServicesFile

_LINE = re.compile(r"^(?:Unpars\w+|Could not load) .* line (\d+)\.", re.DOTALL)


def find(config: ServicesFile, tag: str) -> Apprise:
    """The services of a file, made ready.

    :param tag: as Apprise has it; ``all`` is all of them.
    :raises ValueError: the file cannot, or may not, be read, something in it is not understood, or
        no service has the tag.
    """
    config.read()  # Apprise reads it once more: it may be YAML, and may include others
    asset = AppriseAsset(
        app_id="Pyruse",
        app_desc="Pyruse",
        default_service_retry=2,  # as a service may be away for a moment; ?retry= in a URL is first
        default_service_wait=2.0,  # seconds
    )
    services = Apprise(asset=asset)
    with _listening() as said:
        services.add(AppriseConfig(paths=f"file://{quote(config)}", asset=asset))
        found = list(services.find(tag=tag))
    if any(record.levelno >= logging.WARNING for record in said):
        lines = [at[1] for record in said if (at := _LINE.search(record.getMessage()))]
        where = f"line {', '.join(lines)} of " if lines else "something in "
        raise ValueError(
            f"{where}{config} is not understood by Apprise (expected URLs of services: "
            f"`pyruse-apprise --config={config} --check --verbose` tells more, with secrets)"
        )
    if not found:
        raise ValueError(f'{config} has no service for the tag "{tag}" (expected one, or "all")')
    return services


@contextmanager
def _listening() -> Iterator[list[logging.LogRecord]]:
    """What Apprise logs meanwhile: which line is at fault, it says for debugging only."""
    said: list[logging.LogRecord] = []

    class Listener(logging.Handler):
        def emit(self, record: logging.LogRecord) -> None:
            said.append(record)

    listener = Listener()
    logger = logging.getLogger("apprise")
    level = logger.level
    logger.addHandler(listener)
    logger.setLevel(logging.DEBUG)
    try:
        with warnings.catch_warnings(action="ignore"):  # of what Apprise itself imports
            yield said
    finally:
        logger.setLevel(level)
        logger.removeHandler(listener)
