"""Fingerprints of filters as fail2ban ships them, in all their modes.

A filter that has another one was changed, and is taken over as it is. ``python -m
bench.fail2ban_corpus --fingerprints`` prints those of a package.
"""

from __future__ import annotations

_KNOWN = {
    "sshd": "b564610151f5 94042c2551d5 b30703960bb4 8f8d5e98f717",
    "postfix": "bfcc19e2d6dd 94f8bcb9b705",
    "dovecot": "f2d7cd55daad 6b886a77da18",
    "nginx-http-auth": (
        "457b2ba0c241 ecd2ba47dc08 6bb9b6ceb71d 521d2a623ecf 945299369652 27ce596f8b54"
    ),
    "nginx-botsearch": "06b9daa379b5",
    "nginx-bad-request": "56c6247d0b4d",
    "nginx-limit-req": "11062404f167 47395fe98861",
    "nginx-forbidden": "6c759251553f",
}
STOCK = {name: frozenset(known.split()) for name, known in _KNOWN.items()}
"""By the name of the filter; of fail2ban 1.0.2 and 1.1.0."""
