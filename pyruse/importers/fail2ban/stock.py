"""Fingerprints of filters as fail2ban ships them, in all their modes.

A filter that has another one was changed, and is taken over as it is. ``python -m
bench.fail2ban_corpus --fingerprints`` prints those of a package.
"""

from __future__ import annotations

_KNOWN = {
    "sshd": (
        "b564610151f5 747451fbbcc0 94042c2551d5 345a1bedbf9e 192e81e007ee "
        "2caf74340a9c e9734c4becea 61c50a91766e b30703960bb4 c001c5bfe5d6 "
        "8f8d5e98f717 4bf078faae25 30dc77bf2d73 fe3b11dc1ad6 4d63b729e17c "
        "871a2600f69d"
    ),
    "postfix": (
        "bfcc19e2d6dd d45f20390bc1 0a40081dd87b fa57a3c3ff63 94f8bcb9b705 "
        "19da653133d9 bd3ad5a8305b c20fb56bf173"
    ),
    "dovecot": "f2d7cd55daad 8f9791775d3c 6b886a77da18 7e7d2bcfb9f2",
    "nginx-http-auth": (
        "457b2ba0c241 ecd2ba47dc08 6bb9b6ceb71d 521d2a623ecf 2f3e6c4e7b23 "
        "945299369652 9f1ba949228d 27ce596f8b54 bfe24d669b2b"
    ),
    "nginx-botsearch": "06b9daa379b5",
    "nginx-bad-request": "56c6247d0b4d",
    "nginx-limit-req": "11062404f167 47395fe98861 076a0fe0e186",
    "nginx-forbidden": "6c759251553f 07ce431049ee",
}
STOCK = {name: frozenset(known.split()) for name, known in _KNOWN.items()}
"""By the name of the filter; of fail2ban 1.0.2 and 1.1.0."""
