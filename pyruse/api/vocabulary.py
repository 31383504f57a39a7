"""The vocabulary of events: what entries can mean, whichever program has written them."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from msgspec import Struct


class EventKind(Struct, frozen=True):
    """One word of the vocabulary."""

    fields: tuple[str, ...]
    """The fields by which such events are counted apart, besides `service`."""
    meaning: str
    amount: str | None = None
    """The field whose numbers add up."""
    subject: str | None = None
    """The field that says what it is about. Events of one name and subject have one cause; events
    about a device have the device for a cause. Where an entry does not have the field, its program
    stands for it. None: such events have no cause in common."""
    weight: int = 0
    """How much such an event deserves attention by itself, at most 100; 0: it does not."""


_BY_DEVICE = ("device", "reason")
_BY_MAIL = ("from", "to", "ip", "relay", "status", "reason")
_BY_NAME = ("name", "reason")

EVENTS: Mapping[str, EventKind] = MappingProxyType(
    {
        "login": EventKind(("user", "ip", "method"), "somebody has logged in", subject="user"),
        "login failed": EventKind(
            ("user", "ip", "method", "reason"),
            "somebody has tried to log in: one event a try",
            subject="ip",
        ),
        "logout": EventKind(("user", "ip"), "a session has ended"),
        "became": EventKind(
            ("user", "target", "command"),
            "a user acts as another one: sudo, su, pkexec, doas",
            subject="user",
        ),
        "denied": EventKind(
            ("user", "target", "command", "ip", "reason"),
            "somebody wanted what is not allowed",
            subject="user",
            weight=65,
        ),
        "forged": EventKind(
            ("claim", "unit", "exe", "uid"),
            "a line claims to be of a program that has not written it",
            subject="claim",
            weight=70,
        ),
        "mail accepted": EventKind(("from", "to", "user", "ip"), "a mail has come in", "size"),
        "mail sent": EventKind(_BY_MAIL, "a mail is delivered", "size"),
        "mail deferred": EventKind(_BY_MAIL, "a mail could not be delivered yet"),
        "mail bounced": EventKind(_BY_MAIL, "a mail could not be delivered at all"),
        "mail refused": EventKind(_BY_MAIL, "a mail was not taken"),
        "request": EventKind(("site", "status"), "a request was answered", "size"),
        "request failed": EventKind(
            ("site", "status", "path", "ip"), "a request was answered with an error", "size"
        ),
        "scan": EventKind(
            ("ip", "reason"),
            "somebody looks for weaknesses, or speaks another protocol",
            subject="ip",
        ),
        "packet dropped": EventKind(
            ("ip", "port", "protocol", "device"), "a packet was dropped by the firewall"
        ),
        "query refused": EventKind(("ip", "name"), "a name server refused a query"),
        "unit failed": EventKind(
            ("unit", "reason"), "a service or another unit has failed", subject="unit", weight=70
        ),
        "unit restarted": EventKind(
            ("unit",), "a service was started again by systemd", subject="unit"
        ),
        "crashed": EventKind(
            ("program", "signal"),
            "a program was ended by a fault of its own",
            subject="program",
            weight=60,
        ),
        "killed for memory": EventKind(
            ("program", "unit"),
            "the kernel ended a program for memory",
            subject="program",
            weight=75,
        ),
        "disk fault": EventKind(
            _BY_DEVICE, "a disk fails, or is about to", subject="device", weight=90
        ),
        "raid fault": EventKind(
            _BY_DEVICE, "an array has lost a disk, or data", subject="device", weight=90
        ),
        "file system fault": EventKind(
            _BY_DEVICE, "a file system has errors", subject="device", weight=85
        ),
        "disk full": EventKind(
            ("path", "device"), "there is no room left", subject="path", weight=80
        ),
        "certificate renewed": EventKind(_BY_NAME, "a certificate was renewed", subject="name"),
        "certificate failed": EventKind(
            _BY_NAME, "a certificate could not be renewed", subject="name", weight=75
        ),
        "backup done": EventKind(_BY_NAME, "a backup was made", "size", subject="name"),
        "backup failed": EventKind(_BY_NAME, "a backup was not made", subject="name", weight=80),
        "updated": EventKind(("package", "version"), "software was installed, updated or removed"),
        "update failed": EventKind(
            ("package", "reason"), "software could not be updated", subject="package", weight=50
        ),
        "update held": EventKind(
            ("package", "reason"), "software was not updated, as something forbids it"
        ),
        "booted": EventKind(("version", "boot"), "the machine has started"),
        "shut down": EventKind(("boot",), "the machine has been shut down in an orderly way"),
        "clock stepped": EventKind(("seconds",), "the clock was set"),
        "job ran": EventKind(
            ("user", "name"), "a job of cron, at or a timer has run", subject="name"
        ),
        "job failed": EventKind(
            ("user", "name", "reason"), "such a job has failed", subject="name", weight=55
        ),
        "trouble": EventKind(
            ("unit", "reason"),
            "a service says that it cannot work as it should",
            weight=50,
        ),
        "noise": EventKind((), "nothing that anybody wants to know"),
    }
)
"""The events by name. Rules and chains may have others, which say themselves what they are counted
by."""
