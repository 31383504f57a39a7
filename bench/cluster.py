"""What a workstation that runs a cluster of containers logs: nothing that a server's chains know.

Half of it has eight fields, as what comes by syslog from elsewhere; of the rest, containers' lines
carry labels, sixty fields in all, and desktop programs' have twenty-four.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from random import Random

from pyruse.testing.journal import FIRST_TIME, EntryFields

_DESKTOP = {
    "gnome-shell": "JS ERROR: Gio.IOErrorEnum: {word} failed at resource:///org/{word}.js:{number}",
    "NetworkManager": "<info>  [{number}.{number}] device (wlan0): state change: {word} -> {word}",
    "pipewire": "pw.node: ({word}-{number}) {word} -> error (Received error event)",
    "systemd-resolved": "Using degraded feature set UDP instead of UDP+EDNS0 for server {word}.",
    "bluetoothd": "src/profile.c:{word}() Unable to get io data for {word}: Input/output error",
    "firefox.desktop": "[{number}] ###!!! [Parent][RunMessage] Error: Channel closing: {word}",
}  # fmt: skip
_PODS = ["checkout", "catalogue", "payments", "frontend", "queue-worker", "ingress"]
_DEVICES = ["kubelet", "containerd", "switch-3", "printer", "coredns", "etcd"]
_WORDS = ["deadline", "exceeded", "tick", "attached", "probe", "volume", "evicted", "paused"]
_STEP_US = 37_000


def entries(seed: int, count: int) -> Iterator[EntryFields]:
    """So many entries, the same each time."""
    dice = Random(f"cluster {seed}")
    for number in range(count):
        kind = dice.random()
        made = _forwarded(dice) if kind < 0.5 else _container(dice, number)
        if kind > 0.85:
            made = _desktop(dice)
        yield {"__REALTIME_TIMESTAMP": FIRST_TIME + number * _STEP_US, **made}


def _forwarded(dice: Random) -> EntryFields:
    """Eight fields."""
    word, device = dice.choice(_WORDS), dice.choice(_DEVICES)
    return {
        "MESSAGE": f'I{dice.randrange(10**9):09} {device}.go:{dice.randrange(999)}] "{word}" '
        f'pod="shop/{dice.choice(_PODS)}-{dice.randrange(16**5):05x}" err="{word} {word}"',
        "PRIORITY": dice.choice([3, 5, 6, 6, 6, 6]),
        "SYSLOG_FACILITY": 3,
        "SYSLOG_IDENTIFIER": device,
        "SYSLOG_PID": dice.randrange(400, 60_000),
        "_TRANSPORT": "syslog",
        "_HOSTNAME": "node-1",
        "_MACHINE_ID": "c1057e4000004000800000000000beef",
    }


def _container(dice: Random, number: int) -> EntryFields:
    """Sixty fields; the message is JSON, as of programs that are meant for machines."""
    pod = dice.choice(_PODS)
    said = {
        "ts": datetime.fromtimestamp((FIRST_TIME + number * _STEP_US) / 1e6, UTC).isoformat(),
        "level": dice.choice(["debug", "info", "info", "info", "warn"]),
        "msg": " ".join(dice.choices(_WORDS, k=dice.randrange(3, 12))),
        "trace": f"{dice.randrange(16**32):032x}",
        "took": dice.random(),
    }
    labels = {f"LABEL_{index:02}": f"{pod}-{index}" for index in range(36)}
    return {
        **_process("conmon", f"libpod-{pod}.scope", dice),
        **labels,
        "MESSAGE": json.dumps(said),
        "PRIORITY": 6,
        "SYSLOG_IDENTIFIER": pod,
        "CONTAINER_NAME": f"shop_{pod}",
        "CONTAINER_ID": f"{dice.randrange(6):012x}",
        "CONTAINER_TAG": "v1.27.3",
    }


def _desktop(dice: Random) -> EntryFields:
    """Twenty-four fields."""
    program, line = dice.choice(list(_DESKTOP.items()))
    return {
        **_process(program.partition(".")[0], f"app-{program}@{dice.randrange(4)}.service", dice),
        "MESSAGE": line.format(word=dice.choice(_WORDS), number=dice.randrange(5_000)),
        "PRIORITY": dice.choice([3, 4, 6, 6]),
        "SYSLOG_IDENTIFIER": program,
        "CODE_FILE": "../src/main.c",
        "CODE_LINE": dice.randrange(900),
        "CODE_FUNC": dice.choice(_WORDS),
    }


def _process(command: str, unit: str, dice: Random) -> dict[str, str | int]:
    """What journald itself adds."""
    return {
        "_TRANSPORT": "stdout",
        "_HOSTNAME": "node-1",
        "_MACHINE_ID": "c1057e4000004000800000000000beef",
        "_PID": dice.randrange(400, 60_000),
        "_UID": 1000,
        "_GID": 1000,
        "_COMM": command,
        "_EXE": f"/usr/bin/{command}",
        "_CMDLINE": f"/usr/bin/{command} --session",
        "_CAP_EFFECTIVE": "0",
        "_AUDIT_SESSION": 3,
        "_AUDIT_LOGINUID": 1000,
        "_SYSTEMD_CGROUP": f"/user.slice/user-1000.slice/user@1000.service/app.slice/{unit}",
        "_SYSTEMD_UNIT": "user@1000.service",
        "_SYSTEMD_USER_UNIT": unit,
        "_SYSTEMD_SLICE": "user-1000.slice",
        "_SYSTEMD_INVOCATION_ID": "5980609eecf3075a6deb44f67877fa34",
        "_RUNTIME_SCOPE": "system",
    }
