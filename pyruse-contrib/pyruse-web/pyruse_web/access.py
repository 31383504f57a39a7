"""Who may look: a token, a cookie that stands for it, and the names of this host."""

from __future__ import annotations

import hmac
import re
import time
from collections.abc import Iterable

_LASTS_S = 12 * 3600
_LOCAL = ("localhost", "127.0.0.1", "[::1]")
_PORT = re.compile(r":[0-9]+\Z")
_COOKIE = re.compile(r"([0-9]{1,12})\.([0-9a-f]{64})\Z")


class Access:
    """Knows the token, and what it is worth.

    Cookies are signed with the token, and nothing is remembered of them: they outlive a restart,
    and none does a change of the token.
    """

    COOKIE = "pyruse"
    LASTS_S = _LASTS_S

    def __init__(self, token: str, hosts: Iterable[str]) -> None:
        """:param hosts: names of this host, besides those of loopback."""
        self._token = token.encode()
        self._hosts = {*_LOCAL, *(host.lower() for host in hosts)}

    def knows_host(self, header: str) -> bool:
        """Whether a request is meant for us, by its field Host.

        A page of somebody else's, whose name is made to lead to this machine ("DNS rebinding"),
        gives itself away by that name.
        """
        return _PORT.sub("", header).lower() in self._hosts

    def takes_token(self, given: str) -> bool:
        """Whether it is the token; how long that takes does not tell how much of it is right."""
        return hmac.compare_digest(given.strip().encode(errors="replace"), self._token)

    def cookie(self) -> str:
        """The value of a cookie for who has given the token."""
        expires = str(int(time.time()) + _LASTS_S)
        return f"{expires}.{self._signature(expires)}"

    def takes_cookie(self, value: str) -> bool:
        """Whether it is such a value, and is not out of date."""
        found = _COOKIE.match(value)
        return (
            found is not None
            and hmac.compare_digest(found[2], self._signature(found[1]))
            and time.time() < int(found[1])
        )

    def _signature(self, expires: str) -> str:
        return hmac.digest(self._token, f"pyruse-web {expires}".encode(), "sha256").hex()
