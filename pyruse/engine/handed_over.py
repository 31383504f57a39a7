"""What plugins hand over, checked in their own call: at the commit, a fault costs a whole batch."""

from __future__ import annotations

from ipaddress import IPv4Address, IPv6Address

from msgspec.structs import replace

from pyruse.api.bans import BanRequest
from pyruse.api.firewall import Target
from pyruse.options import durations
from pyruse.options.durations import Duration
from pyruse.options.templates import LONGEST
from pyruse.text import encodable, shortened

_MARK = 40
"""Characters with which a template says that it has cut a message, at most."""
_LONGEST_LABEL = 200  # characters


def text(value: object) -> str:
    """A text, as the state can keep it.

    :raises TypeError: it is none.
    """
    if not isinstance(value, str):
        raise TypeError(f"{_shown(value)} is no text")
    return encodable(value)


def message_text(value: object) -> str:
    """A message for the report: of a length that the state can keep of each.

    :raises TypeError: it is no text.
    """
    if type(value) is str and value.isascii() and len(value) <= LONGEST:
        return value  # most are, and each event that is reported comes here
    message = text(value)
    # A template has cut it already, and said by how much.
    return message if len(message) < LONGEST + _MARK else shortened(message, LONGEST)


def duration(value: object) -> Duration:
    """A span of time that every instant can be moved by.

    :raises TypeError: it is no `Duration`.
    :raises ValueError: it is not above zero, or too long.
    """
    if not isinstance(value, Duration):
        raise TypeError(f"{_shown(value)} is no duration (expected a Duration)")
    if not 0 < value.us < durations.LONGEST * 1_000_000:
        raise ValueError(f"{value} is no duration (expected more than 0, and less than 1e10 s)")
    return value


def ban_request(request: BanRequest) -> BanRequest:
    """What is to be banned, with texts as the state can keep them.

    :raises TypeError: something is of another type.
    :raises ValueError: something is out of its limits.
    """
    if not isinstance(request.address, IPv4Address | IPv6Address):
        raise TypeError(f"{_shown(request.address)} is no address (expected one of ipaddress)")
    if not request.durations:
        raise ValueError("durations is empty (expected one or more)")
    for one in request.durations:
        if one is not None:
            duration(one)
    if request.forget is not None:
        duration(request.forget)
    if request.target is not None and not isinstance(request.target, Target):
        raise TypeError(f"{_shown(request.target)} is no target (expected one of ban_target)")
    _check_prefix("prefix4", request.prefix4, 32)
    _check_prefix("prefix6", request.prefix6, 128)
    if request.label is None and request.reason is None:
        return request
    label = None if request.label is None else text(request.label)
    if label is not None and len(label) > _LONGEST_LABEL:
        raise ValueError(
            f"the label has {len(label):,} characters (expected {_LONGEST_LABEL} at most)"
        )
    reason = None if request.reason is None else text(request.reason)
    return replace(request, label=label, reason=reason)


def _check_prefix(name: str, value: object, longest: int) -> None:
    if not isinstance(value, int) or isinstance(value, bool) or not 0 <= value <= longest:
        raise ValueError(f"{name} = {_shown(value)} is no prefix length (expected 0 to {longest})")


def _shown(value: object) -> str:
    return shortened(repr(value), 80)
