"""Fingerprints of filters as fail2ban ships them, in all their modes.

A filter that has another one was changed, and is taken over as it is. ``python -m
bench.fail2ban_corpus --fingerprints`` prints those of a package.
"""

from __future__ import annotations

_KNOWN = {
    "sshd": (
        "b564610151f5 94042c2551d5 192e81e007ee e9734c4becea b30703960bb4 "
        "8f8d5e98f717 30dc77bf2d73 4d63b729e17c"
    ),
    "postfix": (
        "d61dde68434d 12d20d6d9927 49a9a6b9b7e2 0a40081dd87b bfcc19e2d6dd "
        "82c9da74dff3 1cb9b6425382 85d90a1f1353 c49f10b66b44 6dd6f6b8a0a8 "
        "bd3ad5a8305b 94f8bcb9b705 19b7658f55c5 a37d6a622cb3"
    ),
    "dovecot": "f2d7cd55daad 6b886a77da18",
    "nginx-http-auth": (
        "457b2ba0c241 6bb9b6ceb71d ecd2ba47dc08 521d2a623ecf 27ce596f8b54 945299369652"
    ),
    "nginx-botsearch": "06b9daa379b5",
    "nginx-bad-request": "56c6247d0b4d",
    "apache-auth": "c7d8a411e7bd a4cd513cb02f 13dbbfbb64a5 e06bf85d3247",
    "exim": "dcd8282849af 52c1205a9e26 fd30a88b9ef2 5ccdbfff9112",
}
STOCK = {name: frozenset(known.split()) for name, known in _KNOWN.items()}
"""By the name of the filter; of fail2ban 1.0.2 and 1.1.0."""
