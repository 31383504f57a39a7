"""The machines that this one cannot do without: its gateways and its resolvers."""

from __future__ import annotations

import ipaddress
import socket
import struct
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from pyruse.addresses import Address, parse_address

_RESOLVERS = (Path("/etc/resolv.conf"), Path("/run/systemd/resolve/resolv.conf"))
"""resolv.conf(5); and, where that names systemd-resolved itself, whom it asks
(systemd-resolved.service(8))."""
_LARGEST = 65_536  # bytes

# rtnetlink(7), linux/netlink.h, linux/rtnetlink.h
_MESSAGE = struct.Struct("=IHHII")  # struct nlmsghdr: length, type, flags, number, port
_ROUTE = struct.Struct("=BBBBBBBBI")  # struct rtmsg, of which the eighth is the type of the route
_ATTRIBUTE = struct.Struct("=HH")  # struct rtattr: length, type
_HOP = struct.Struct("=HBBi")  # struct rtnexthop: length, flags, hops, interface
_ERROR, _DONE, _GET_ROUTE = 2, 3, 26
_REQUEST_DUMP = 0x301
_UNICAST = 1
_HALF = 1
"""The prefix length of the two halves of the internet, as VPNs have them for a default route."""
_GATEWAY, _MULTIPATH, _VIA = 5, 9, 18
_MOST = 8 << 20
"""Bytes of routes that are read: of a router with a million, the first ones, which have the default
route."""
_WAIT_S = 2.0


def gateways() -> set[Address]:
    """The next hops of this machine's default routes, of all tables, as the kernel has them now.

    Where the kernel tells nothing, there are none.
    """
    found: set[Address] = set()
    for family in (socket.AF_INET, socket.AF_INET6):
        with suppress(OSError, struct.error):
            for route in _routes(family):
                found.update(_next_hops(route))
    return {one for one in found if not one.is_unspecified}


def resolvers() -> dict[Address, str]:
    """The name servers that this machine asks, each with the file that names it."""
    found: dict[Address, str] = {}
    for path in _RESOLVERS:
        try:
            with path.open(encoding="utf-8", errors="replace") as file:
                text = file.read(_LARGEST)
        except OSError:
            continue
        for line in text.splitlines():
            word, *rest = line.split()[:2] or [""]
            address = parse_address(rest[0]) if word == "nameserver" and rest else None
            if address is not None and not address.is_loopback:
                found.setdefault(address, str(path))
    return found


def _routes(family: int) -> Iterator[bytes]:
    """The routes of a family, each as ``struct rtmsg`` and its attributes."""
    kind = socket.SOCK_RAW | socket.SOCK_CLOEXEC
    with socket.socket(socket.AF_NETLINK, kind, socket.NETLINK_ROUTE) as netlink:
        netlink.settimeout(_WAIT_S)
        request = _ROUTE.pack(family, 0, 0, 0, 0, 0, 0, 0, 0)
        length = _MESSAGE.size + len(request)
        netlink.send(_MESSAGE.pack(length, _GET_ROUTE, _REQUEST_DUMP, 1, 0) + request)
        seen = 0
        while seen < _MOST:
            data = netlink.recv(1 << 18)
            seen += len(data)
            at = 0
            while at + _MESSAGE.size <= len(data):
                length, kind, *_ = _MESSAGE.unpack_from(data, at)
                if kind in (_DONE, _ERROR) or length < _MESSAGE.size:
                    return
                yield data[at + _MESSAGE.size : at + length]
                at += _aligned(length)


def _next_hops(route: bytes) -> Iterator[Address]:
    _, prefix, *_, kind, _ = _ROUTE.unpack_from(route)
    if kind == _UNICAST and prefix <= _HALF:
        yield from _hops_of(route[_ROUTE.size :])


def _hops_of(attributes: bytes) -> Iterator[Address]:
    for kind, value in _split(attributes):
        if kind == _GATEWAY:
            yield ipaddress.ip_address(value)
        elif kind == _VIA:  # of another family: IPv4 by way of IPv6
            yield ipaddress.ip_address(value[2:])
        elif kind == _MULTIPATH:
            at = 0
            while at + _HOP.size <= len(value):
                length = _HOP.unpack_from(value, at)[0]
                if length < _HOP.size:
                    return
                yield from _hops_of(value[at + _HOP.size : at + length])
                at += _aligned(length)


def _split(attributes: bytes) -> Iterator[tuple[int, bytes]]:
    at = 0
    while at + _ATTRIBUTE.size <= len(attributes):
        length, kind = _ATTRIBUTE.unpack_from(attributes, at)
        if length < _ATTRIBUTE.size:
            return
        yield kind & 0x3FFF, attributes[at + _ATTRIBUTE.size : at + length]
        at += _aligned(length)


def _aligned(length: int) -> int:
    return (length + 3) & ~3
