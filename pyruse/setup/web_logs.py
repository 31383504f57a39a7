"""Whether the web servers of this machine log to the journal: by default, many write files.

It is a simple reading of their files: blocks, conditions and variables count for nothing. A log
that might go to the journal is believed to.
"""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from glob import glob
from pathlib import Path

from pyruse.setup.machine import PATH

_ETC = Path("/etc")
_MOST_FILES = 10_000

Directive = tuple[str, str]
"""A name in small letters, and its first argument."""


@dataclass(frozen=True)
class _Server:
    rules: str
    program: str
    file: str
    """Its first file, below the folder ``/etc``."""
    root: str
    """What paths in its files begin at."""
    directives: Callable[[str], Iterator[Directive]]
    is_seen: Callable[[str, str], bool]
    """Whether a directive leads to the journal."""
    expected: str


def unseen_logs(rules: Collection[str], etc: Path = _ETC, path: str = PATH) -> list[str]:
    """What to say of web servers that are installed, and none of whose logs goes to the journal.

    Nothing is said of a server whose files cannot be read.

    :param rules: the names of the rules in use.
    :param etc: the folder that has the folders of the servers.
    :param path: where programs are, as in the environment's PATH.
    """
    found = []
    for server in _SERVERS:
        file = etc / server.file
        if server.rules not in rules or not shutil.which(server.program, path=path):
            continue
        try:
            directives = list(_read(file, etc / server.root, server.directives))
        except OSError:
            continue
        if not any(server.is_seen(name, value) for name, value in directives):
            found.append(
                f"{file}: no log of {server.program} goes to the journal, so Pyruse sees no "
                f"request to it, and bans nobody for one (expected {server.expected})"
            )
    return found


def _read(
    first: Path, root: Path, directives: Callable[[str], Iterator[Directive]]
) -> Iterator[Directive]:
    """The directives of a file and of those that it includes.

    :raises OSError: one of them cannot be read.
    """
    files, seen = [first], {first}
    while files:
        for name, value in directives(files.pop().read_text("utf-8", "replace")):
            yield name, value
            if name in ("include", "includeoptional"):
                new = set(_included(root / value)) - seen
                seen |= new
                files += sorted(new)
                if len(seen) > _MOST_FILES:
                    raise OSError(f"{first}: includes too many files")


def _included(pattern: Path) -> list[Path]:
    """Files by a pattern, or those in a folder, as Apache has it."""
    folder = pattern.parent
    if folder.exists() and not os.access(folder, os.R_OK | os.X_OK):
        raise PermissionError(folder)
    found = [Path(one) for one in glob(str(pattern))]
    inside = [one for folder in found if folder.is_dir() for one in folder.rglob("*")]
    return [one for one in (*found, *inside) if one.is_file()]


_NGINX_WORDS = re.compile(
    r""" "(?:[^"\\]|\\.)*" | '(?:[^'\\]|\\.)*' | \#[^\n]* | [;{}] | (?:[^\s;{}\\]|\\.)+ """,
    re.VERBOSE | re.DOTALL,
)


def _of_nginx(text: str) -> Iterator[Directive]:
    words: list[str] = []
    for word in _NGINX_WORDS.findall(text):
        if word in (";", "{", "}"):
            if len(words) > 1:
                yield words[0].lower(), words[1].strip("\"'")
            words = []
        elif not word.startswith("#"):
            words.append(word)


_APACHE_LINE = re.compile(r'\s*(\w+)\s+("(?:[^"\\]|\\.)*"|\S+)')


def _of_apache(text: str) -> Iterator[Directive]:
    for line in text.replace("\\\n", " ").splitlines():
        if match := _APACHE_LINE.match(line):
            yield match[1].lower(), match[2].strip('"')


_STANDARD_OUTPUTS = ("/dev/stderr", "/dev/stdout")


def _is_seen_of_nginx(name: str, value: str) -> bool:
    if name == "error_log" and value == "stderr":
        return True
    is_log = name in ("access_log", "error_log")
    return is_log and value.startswith(("syslog:", *_STANDARD_OUTPUTS))


def _is_seen_of_apache(name: str, value: str) -> bool:
    if name not in ("errorlog", "customlog", "transferlog"):
        return False
    if value.startswith("|"):  # such as logger; these two write files
        return re.search("rotatelogs|cronolog", value) is None
    return value == "syslog" or value.startswith(("syslog:", "journald", *_STANDARD_OUTPUTS))


_NGINX = _Server(
    "nginx", "nginx", "nginx/nginx.conf", "nginx", _of_nginx, _is_seen_of_nginx,
    "in the block http, and in each block that has logs of its own: access_log "
    "syslog:server=unix:/dev/log,nohostname combined; error_log "
    "syslog:server=unix:/dev/log,nohostname;",
)  # fmt: skip
_OF_APACHE = (
    'in each VirtualHost: ErrorLog syslog:daemon:apache2, and in a line of its own CustomLog '
    '"|/usr/bin/logger -t apache2 -p daemon.info" combined'
)  # fmt: skip
_SERVERS = (
    _NGINX,
    _Server(
        "apache", "apache2", "apache2/apache2.conf", "apache2", _of_apache, _is_seen_of_apache,
        _OF_APACHE,
    ),
    _Server(
        "apache", "httpd", "httpd/conf/httpd.conf", "httpd", _of_apache, _is_seen_of_apache,
        _OF_APACHE,
    ),
)  # fmt: skip
