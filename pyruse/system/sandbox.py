"""What the sandbox of the service takes from programs: rights of other users (systemd.exec(5))."""

from __future__ import annotations

from contextlib import suppress
from pathlib import Path

from pyruse.system.privileges import no_new_privileges

UNIT = "pyruse.service"

SMTP_PORT = 25

_TIMEOUT = 5.0  # seconds
_BARS = (
    "DynamicUser",
    "LockPersonality",
    "MemoryDenyWriteExecute",
    "NoNewPrivileges",
    "PrivateDevices",
    "ProtectClock",
    "ProtectHostname",
    "ProtectKernelLogs",
    "ProtectKernelModules",
    "ProtectKernelTunables",
    "RestrictAddressFamilies",
    "RestrictRealtime",
    "RestrictSUIDSGID",
    "SystemCallArchitectures",
    "SystemCallFilter",
)
"""The settings that imply NoNewPrivileges= where the user is not root."""
_FREE = ("no", "", "~")
"""How systemctl shows that they are not set: "~" is a list of exceptions without any."""


def service_keeps_rights_from_programs() -> bool:
    """Whether set-user-ID and set-group-ID have no effect in the service.

    Where it runs, its process is looked at; else, how it is installed. False, too, where there is
    no systemd, or no such service: nobody knows then.
    """
    from pyruse.system.programs import run_program

    names = ("LoadState", "MainPID", "User", *_BARS)
    command = ["systemctl", "show", UNIT, f"--property={','.join(names)}"]
    try:
        shown = run_program(command, timeout=_TIMEOUT)
    except OSError:
        return False
    lines = (line.partition("=") for line in shown.output.splitlines())
    settings = {name: value for name, _, value in lines}
    if settings.get("LoadState") != "loaded":
        return False
    pid = settings.get("MainPID", "0")
    if pid != "0" and Path(f"/proc/{pid}").exists():
        return no_new_privileges(pid)
    if settings.get("User", "root") in ("", "root"):
        return settings.get("NoNewPrivileges") == "yes"
    return any(settings.get(name, "") not in _FREE for name in _BARS)


def rights_are_kept_from_programs() -> bool:
    """The same of this very process, or of the service."""
    return no_new_privileges() or service_keeps_rights_from_programs()


def listens(port: int) -> bool:
    """Whether a server listens at a TCP port of this machine; it does not notice (proc(5)).

    Sockets that listen stand first. What comes after them takes the kernel some milliseconds.
    """
    for name in ("/proc/net/tcp", "/proc/net/tcp6"):
        with suppress(OSError), Path(name).open() as file:
            next(file, "")  # the heading
            for line in file:
                _, address, _, state, *_ = line.split()
                if state == "0A" and int(address.rpartition(":")[2], 16) == port:
                    return True
    return False
