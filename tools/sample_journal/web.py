"""nginx, which logs to the journal through syslog: readers of a small site, and scanners."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from . import people
from .model import (
    DAEMON,
    ERROR,
    INFO,
    LOCAL7,
    WARNING,
    Day,
    Line,
    Program,
    busy_times,
    clock,
    steady_times,
)

NGINX = Program(
    "nginx",
    "nginx.service",
    "/usr/sbin/nginx",
    LOCAL7,
    uid=33,
    cmdline="nginx: worker process",
)
PHP = Program(
    "php-fpm8.2",
    "php8.2-fpm.service",
    "/usr/sbin/php-fpm8.2",
    DAEMON,
    transport="journal",
    cmdline="php-fpm: master process (/etc/php/8.2/fpm/php-fpm.conf)",
)
_PID = 284_311

_PAGES = {
    "/": 8412,
    "/news/": 6120,
    "/recipes/": 9933,
    "/recipes/ratatouille": 14204,
    "/recipes/moussaka": 13877,
    "/recipes/baba-ganoush": 12051,
    "/about": 3310,
    "/contact": 2899,
}
_ASSETS = {"/css/site.css": 5211, "/js/site.js": 2044, "/img/aubergine.webp": 48120}
_ROBOTS = {"/robots.txt": 120, "/sitemap.xml": 2210, "/feed.xml": 18333}
_BROWSERS = (
    "Mozilla/5.0 (X11; Linux x86_64; rv:135.0) Gecko/20100101 Firefox/135.0",
    "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) "
    "Chrome/133.0.0.0 Safari/537.36",
    "Mozilla/5.0 (iPhone; CPU iPhone OS 18_3 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like "
    "Gecko) Version/18.3 Mobile/15E148 Safari/604.1",
)
_CRAWLER = "ExampleBot/2.1 (+https://crawler.example.com/about)"
_SCANNER = "Mozilla/5.0 (compatible; scan/0.9)"

_LOOKED_FOR = (
    "/wp-login.php",
    "/wp-admin/setup-config.php",
    "/xmlrpc.php",
    "/.env",
    "/.env.backup",
    "/.git/config",
    "/phpMyAdmin/index.php",
    "/phpmyadmin/",
    "/pma/index.php",
    "/vendor/phpunit/phpunit/src/Util/PHP/eval-stdin.php",
    "/cgi-bin/luci",
    "/actuator/env",
)
"""What scanners ask for, though the site has nothing of the kind."""
_GUESSES = tuple(
    f"/{name}.{ending}"
    for name in ("backup", "site", "www", "db", "dump", "old", "data", "private", "admin")
    for ending in ("zip", "tar.gz", "sql", "bak")
)
"""Names that are no sign of anything; asking for many that do not exist is."""
_ATTACKS = (
    "/search?q=<script>alert(document.cookie)</script>",
    "/../../../../etc/passwd",
    "/recipes/?id=1%27%20UNION%20SELECT%20user,password%20FROM%20users--",
)
"""Attacks that are in the request itself."""


def lines(day: Day, rng: Random) -> Iterator[Line]:
    """All that nginx and PHP log in a day."""
    for at in busy_times(rng, 400):
        yield from _visit(day, rng, at)
    for at in steady_times(rng, "00:01", 1320, 65):
        path, size = rng.choice(list((_ROBOTS | _PAGES).items()))
        yield _access(day, at, rng.choice(people.VISITORS), path, 200, size, agent=_CRAWLER)
    for address, start, every, count in (
        (people.WEB_SCAN, "05:07", 1.3, 84),
        (people.WEB_IPV6, "12:40", 9, 31),
    ):
        for at in steady_times(rng, start, every, count):
            yield from _looked_for(day, at, address, rng.choice(_LOOKED_FOR))
    for at, path in zip(steady_times(rng, "19:31", 21, len(_GUESSES)), _GUESSES, strict=True):
        yield _access(day, at, people.WEB_GUESSES, path, 404, 153, agent="-")
    for number, path in enumerate(_ATTACKS):
        at = clock("05:06:50") + 2 * number
        yield _access(day, at, people.WEB_SCAN, path, 400 if ".." in path else 200, 157)
    yield from _faults(day)


def _visit(day: Day, rng: Random, at: float) -> Iterator[Line]:
    address, agent = rng.choice(people.VISITORS), rng.choice(_BROWSERS)
    referrer = "-"
    for number in range(rng.randrange(1, 4)):
        path, size = rng.choice(list(_PAGES.items()))
        yield _access(day, at, address, path, 200, size, referrer, agent)
        referrer = f"https://www.example.org{path}"
        for asset, bytes_sent in _ASSETS.items() if number == 0 else ():
            loaded = at + 0.3 * rng.random()
            status, sent = (304, 0) if rng.random() < 0.4 else (200, bytes_sent)
            yield _access(day, loaded, address, asset, status, sent, referrer, agent)
        at += 4 + 40 * rng.random()
    if rng.random() < 0.06:
        missing = rng.choice(("/apple-touch-icon.png", "/favicon.ico", "/recipes/ratatouile"))
        yield _access(day, at, address, missing, 404, 153, agent=agent)


def _looked_for(day: Day, at: float, address: str, path: str) -> Iterator[Line]:
    yield _access(day, at, address, path, 404, 153, agent=_SCANNER)
    if path.endswith(".php"):
        missing = f'open() "/srv/www{path}" failed (2: No such file or directory)'
        yield _error(day, at, "error", missing, address, path)


def _faults(day: Day) -> Iterator[Line]:
    slow = "upstream timed out (110: Connection timed out) while reading response header"
    for start in ("16:48:02", "16:48:20"):
        at, address = clock(start), people.VISITORS[3]
        text = f"{slow} from upstream"
        yield _error(day, at, "error", text, address, "/recipes/moussaka")
        yield _access(day, at, address, "/recipes/moussaka", 504, 167)
    full = "[pool www] server reached pm.max_children setting (5), consider raising it"
    for start in ("16:46:51", "16:47:40"):
        yield PHP.says(clock(start), full, 902, WARNING)


def _access(
    day: Day,
    at: float,
    address: str,
    path: str,
    status: int,
    size: int,
    referrer: str = "-",
    agent: str = _BROWSERS[0],
) -> Line:
    """A line in nginx's format "combined"."""
    when = f"{day.time(at):%d/%b/%Y:%H:%M:%S %z}"
    text = f'{address} - - [{when}] "GET {path} HTTP/1.1" {status} {size} "{referrer}" "{agent}"'
    return NGINX.says(at, text, _PID, INFO)


def _error(day: Day, at: float, level: str, text: str, address: str, path: str) -> Line:
    when = f"{day.time(at):%Y/%m/%d %H:%M:%S}"
    request = f'client: {address}, server: www.example.org, request: "GET {path} HTTP/1.1"'
    connection = 1000 + int(at)
    return NGINX.says(
        at,
        f'{when} [{level}] {_PID}#{_PID}: *{connection} {text}, {request}, host: "www.example.org"',
        _PID,
        ERROR,
    )
