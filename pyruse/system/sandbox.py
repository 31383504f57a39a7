"""What the sandbox of the service takes from programs: rights of other users (systemd.exec(5))."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pyruse.system.privileges import no_new_privileges
from pyruse.system.programs import run_program

UNIT = "pyruse.service"

SMTP_PORT = 25

_TIMEOUT = 5.0  # seconds
_BARS: Mapping[str, str] = {
    "LockPersonality": "no",
    "MemoryDenyWriteExecute": "no",
    "NoNewPrivileges": "no",
    "PrivateDevices": "no",
    "ProtectClock": "no",
    "ProtectHostname": "no",
    "ProtectKernelLogs": "no",
    "ProtectKernelModules": "no",
    "ProtectKernelTunables": "no",
    "RestrictRealtime": "no",
    "RestrictSUIDSGID": "no",
    "DynamicUser": "no",
    "SystemCallFilter": "",
    "SystemCallArchitectures": "",
}
"""The settings that imply NoNewPrivileges= where the user is not root, with the value that does
not. (Those of namespaces and address families are shown in forms that differ by version.)"""


def service_keeps_rights_from_programs() -> bool:
    """Whether set-user-ID and set-group-ID have no effect in the service, as it is installed.

    False, too, where there is no systemd, or no such service: nobody knows then.
    """
    command = ["systemctl", "show", UNIT, "--property=LoadState,User," + ",".join(_BARS)]
    try:
        shown = run_program(command, timeout=_TIMEOUT)
    except OSError:
        return False
    lines = (line.partition("=") for line in shown.output.splitlines())
    settings = {name: value for name, _, value in lines}
    if settings.get("LoadState") != "loaded":
        return False
    if settings.get("User", "root") in ("", "root"):
        return settings.get("NoNewPrivileges") == "yes"
    return any(settings.get(name, free) != free for name, free in _BARS.items())


def rights_are_kept_from_programs() -> bool:
    """The same of this very process, or of the service."""
    return no_new_privileges() or service_keeps_rights_from_programs()


def listens(port: int) -> bool:
    """Whether a server listens at a TCP port of this machine; it does not notice (proc(5))."""
    for file in ("/proc/net/tcp", "/proc/net/tcp6"):
        try:
            lines = Path(file).read_text().splitlines()[1:]
        except OSError:
            continue
        for line in lines:
            _, address, _, state, *_ = line.split()
            if state == "0A" and int(address.rpartition(":")[2], 16) == port:
                return True
    return False
