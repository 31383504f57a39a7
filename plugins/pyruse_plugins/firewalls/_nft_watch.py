"""Noticing that others change the rules of nftables, through a netlink socket (netlink(7)).

The kernel ends the news of each transaction with a message of its own, which tells the process that
made it (`NFT_MSG_NEWGEN`, linux/netfilter/nf_tables.h). A filter in the kernel lets nothing else
pass, so that thousands of elements are no news. In a container with process numbers of its own (a
PID namespace), these are not the kernel's: there Pyruse is woken by its own changes, too, and looks
once more than it needs to. Rules of iptables are noticed, too, where they are
kept in nftables, as they are by default in today's distributions.
"""

from __future__ import annotations

import ctypes
import errno
import socket
import struct
from collections.abc import Container
from contextlib import suppress

_NETLINK_NETFILTER = 12
_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP = 270, 1
_NFNLGRP_NFTABLES = 7
_NFNL_SUBSYS_NFTABLES, _NFT_MSG_NEWGEN = 10, 15
_NFTA_GEN_PROC_PID = 2
_HEADERS = 20  # bytes: struct nlmsghdr, struct nfgenmsg
_TYPE_AT = 4  # in struct nlmsghdr

_SO_ATTACH_FILTER = 26
_LOAD_HALF_WORD, _JUMP_IF_EQUAL, _RETURN = 0x28, 0x15, 0x06  # linux/filter.h


class NftWatch:
    """A socket that is readable when a transaction was made."""

    def __init__(self, own: Container[int]) -> None:
        """Begin to notice.

        :param own: processes whose changes are no news.
        :raises OSError: this process may not, or the kernel cannot.
        """
        self._own = own
        kind = socket.SOCK_RAW | socket.SOCK_NONBLOCK | socket.SOCK_CLOEXEC
        self._socket = socket.socket(socket.AF_NETLINK, kind, _NETLINK_NETFILTER)
        try:
            _let_pass_only(self._socket, _NFNL_SUBSYS_NFTABLES << 8 | _NFT_MSG_NEWGEN)
            self._socket.bind((0, 0))
            self._socket.setsockopt(_SOL_NETLINK, _NETLINK_ADD_MEMBERSHIP, _NFNLGRP_NFTABLES)
        except OSError:
            self._socket.close()
            raise

    def fileno(self) -> int:
        """See `pyruse.Watch`."""
        return self._socket.fileno()

    def changed(self) -> bool:
        """See `pyruse.Watch`."""
        news = False
        while True:
            try:
                message = self._socket.recv(4096)
            except BlockingIOError:
                return news
            except OSError as fault:
                if fault.errno != errno.ENOBUFS:  # there was more news than the kernel keeps
                    raise
                news = True
            else:
                news |= _process_of(message) not in self._own

    def close(self) -> None:
        """See `pyruse.Watch`."""
        self._socket.close()


def watch(own: Container[int]) -> NftWatch | None:
    """Begin to notice; None where that is not possible."""
    with suppress(OSError):
        return NftWatch(own)
    return None


def _process_of(message: bytes) -> int | None:
    """The process that made a transaction; None where the kernel does not tell."""
    at = _HEADERS
    while at + 8 <= len(message):
        length, kind = struct.unpack_from("=HH", message, at)
        if kind == _NFTA_GEN_PROC_PID:
            (process,) = struct.unpack_from(">I", message, at + 4)
            return int(process)
        at += max(4, (length + 3) & ~3)
    return None


def _let_pass_only(one: socket.socket, kind: int) -> None:
    """Have the kernel drop all messages that are not of this kind (socket(7), SO_ATTACH_FILTER)."""
    (as_loaded,) = struct.unpack(">H", struct.pack("=H", kind))  # the filter reads big-endian
    program = b"".join(
        struct.pack("=HBBI", *instruction)
        for instruction in (
            (_LOAD_HALF_WORD, 0, 0, _TYPE_AT),
            (_JUMP_IF_EQUAL, 0, 1, as_loaded),
            (_RETURN, 0, 0, 0xFFFFFFFF),
            (_RETURN, 0, 0, 0),
        )
    )
    buffer = ctypes.create_string_buffer(program, len(program))
    one.setsockopt(
        socket.SOL_SOCKET,
        _SO_ATTACH_FILTER,
        struct.pack("HP", len(program) // 8, ctypes.addressof(buffer)),
    )
