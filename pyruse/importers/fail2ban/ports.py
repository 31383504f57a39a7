"""Ports as fail2ban's jails name them, and as a ``ban`` step does."""

from __future__ import annotations

import socket

_ALL = range(65_536)
_NAMES = {
    "ftp": 21, "ftp-data": 20, "ftps": 990, "ftps-data": 989, "ssh": 22, "telnet": 23, "smtp": 25,
    "ssmtp": 465, "smtps": 465, "submission": 587, "submissions": 465, "domain": 53, "http": 80,
    "https": 443, "pop3": 110, "pop3s": 995, "imap": 143, "imap2": 143, "imaps": 993, "sieve": 4190,
    "ldap": 389, "ldaps": 636, "socks": 1080, "mysql": 3306, "postgresql": 5432, "sip": 5060,
    "sip-tls": 5061, "xmpp-client": 5222, "xmpp-server": 5269, "openvpn": 1194, "rsync": 873,
    "rdp": 3389, "ms-wbt-server": 3389,
}  # fmt: skip
"""Those of the stock jails, so that they are known where there is no /etc/services (IANA's)."""


def ports_of(text: str) -> list[int | str]:
    """The ports of a list such as ``ssh,8080:8090``; none: all of them.

    :raises ValueError: a name is not known, or a number is none of a port.
    """
    ports: list[int | str] = []
    for word in text.replace(",", " ").split():
        first, *last = (
            (_number(part) for part in word.replace("-", ":").split(":"))
            if (_is_range(word))
            else (_number(word),)
        )
        if last and (first, last[0]) in ((0, _ALL[-1]), (1, _ALL[-1])):
            return []
        port: int | str = f"{first}-{last[0]}" if last and last[0] != first else first
        if port not in ports:
            ports.append(port)
    return sorted(ports, key=lambda port: int(str(port).partition("-")[0]))


def _is_range(word: str) -> bool:
    return ":" in word or all(part.isdecimal() for part in word.split("-"))


def _number(word: str) -> int:
    if word.isdecimal():
        number = int(word)
        if number not in _ALL:
            raise ValueError(f'"{word}" is no port (expected 1 to 65535)')
        return number
    if word in _NAMES:
        return _NAMES[word]
    try:
        return socket.getservbyname(word)
    except (OSError, ValueError):
        raise ValueError(
            f'"{word}" is no port that /etc/services knows (expected a number)'
        ) from None
