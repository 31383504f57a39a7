"""What an event is about, so that the many events of one cause are told as one."""

from __future__ import annotations

from pyruse.text import late_pattern

_PARTITION = late_pattern(
    r"((?:sd|hd|vd|xvd)[a-z]{1,3})\d{1,3}\Z"
    r"|((?:nvme\d+n\d+|mmcblk\d+|md\d+|nbd\d+|loop\d+|ublkb\d+))p\d{1,3}\Z"
)
"""sda1 is a part of sda, nvme0n1p2 of nvme0n1."""
_CONTROLLER = late_pattern(r"(nvme\d+)n\d+\Z")


def device(name: str) -> str:
    """The disk, or the array, that a name of it or of a part of it stands for.

    ``/dev/sda1`` and ``sda`` are ``sda``; ``nvme0n1p2`` and ``nvme0`` are ``nvme0``.
    """
    name = name.strip().rstrip(".,:;").removeprefix("/dev/").removeprefix("mapper/")
    name = name.replace("!", "/")
    part = _PARTITION.match(name)
    if part is not None:
        name = part[1] or part[2]
    controller = _CONTROLLER.match(name)
    return controller[1] if controller is not None else name


def cause(event: str, subject: str, value: str) -> str:
    """What stands for the cause of an event.

    Whatever happens to a device, the device is the cause: what fails is one disk, though its
    errors, its file systems and its own test tell of it. Otherwise the event belongs to it.

    :param event: the name of the event.
    :param subject: the field that says what it is about.
    :param value: the value of this field.
    """
    if subject == "device":
        return f"device {device(value)}"
    return f"{event} {value}"
