"""systemd itself (PID 1): units that start, stop and fail."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random
from typing import Any, NamedTuple

from .model import DAEMON, INFO, NOTICE, WARNING, Day, Line, Program, clock

PID1 = Program(
    "systemd",
    "init.scope",
    "/usr/lib/systemd/systemd",
    DAEMON,
    transport="journal",
    cmdline="/sbin/init",
    slice="-.slice",
)


class Event(NamedTuple):
    """One of the messages of systemd about a unit, as its message catalogue knows it."""

    message_id: str
    text: str
    function: str
    priority: int = INFO


STARTING = Event(
    "7d4958e842da4a758f6c1cdc7b36dcc5",
    "Starting {unit} - {name}...",
    "job_emit_start_message",
)
STARTED = Event(
    "39f53479d3a045ac8e11786248231fbf",
    "Started {unit} - {name}.",
    "job_emit_done_message",
)
FINISHED = Event(STARTED.message_id, "Finished {unit} - {name}.", "job_emit_done_message")
FAILED_TO_START = Event(
    "be02cf6855d2428ba40df7e9d022f03d",
    "Failed to start {unit} - {name}.",
    "job_emit_done_message",
    3,
)
STOPPING = Event(
    "de5b426a63be47a7b6ac3eaac82e2f6f",
    "Stopping {unit} - {name}...",
    "job_emit_start_message",
)
DONE = Event(
    "9d1aaa27d60140bd96365438aad20286",
    "Stopped {unit} - {name}.",
    "job_emit_done_message",
)
SUCCEEDED = Event(
    "7ad2d189f7e94e70a38c781354912448",
    "{unit}: Deactivated successfully.",
    "unit_log_success",
)
EXITED = Event(
    "98e322203f7a4ed290d09fe03c09fe15",
    "{unit}: Main process exited, code=exited, status=1/FAILURE",
    "unit_log_process_exit",
    NOTICE,
)
FAILED = Event(
    "d9b373ed55a64feb8242e02dbe79a49c",
    "{unit}: Failed with result '{name}'.",
    "unit_log_failure",
    WARNING,
)
CONSUMED = Event(
    "ae8f7b866b0347b9af31fe1c80b127c0",
    "{unit}: Consumed {name} CPU time.",
    "unit_log_resources",
)
OUT_OF_MEMORY = Event(
    "fe6faa94e7774663a0da52717891d8ef",
    "{unit}: A process of this unit has been killed by the OOM killer.",
    "unit_check_oom",
    NOTICE,
)

_JOBS = (
    ("dpkg-db-backup.service", "Daily dpkg database backup service", ("00:00",)),
    ("logrotate.service", "Rotate log files", ("00:00:02",)),
    ("e2scrub_all.service", "Online ext4 Metadata Check for All Filesystems", ("03:10",)),
    ("systemd-tmpfiles-clean.service", "Cleanup of Temporary Directories", ("21:55",)),
    ("man-db.service", "Daily man-db regeneration", ("00:04",)),
    ("apt-daily.service", "Daily apt download activities", ("05:33", "18:07")),
    ("apt-daily-upgrade.service", "Daily apt upgrade and clean activities", ("06:21",)),
    ("certbot.service", "Certbot", ("02:49", "15:12")),
    ("systemd-hostnamed.service", "Hostname Service", ("08:31", "14:22", "20:47")),
    ("phpsessionclean.service", "Clean php session files", tuple(
        f"{hour:02}:{minute}" for hour in range(24) for minute in ("09", "39")
    )),
)  # fmt: skip
"""Jobs that timers start: when, and what they are called."""


def lines(day: Day, rng: Random) -> Iterator[Line]:
    """The day's timers, one job that fails, and what the OOM killer and an upgrade leave behind."""
    for unit, name, times in _JOBS:
        for time in times:
            at = clock(time) + 5 * rng.random()
            took = 0.1 + 3 * rng.random()
            yield pid1(at, STARTING, unit, name)
            yield pid1(at + took, SUCCEEDED, unit, name)
            yield pid1(at + took + 0.01, FINISHED, unit, name)
    yield pid1(clock("06:22:40"), CONSUMED, "apt-daily-upgrade.service", "41.276s")
    yield from _failed_backup(day)
    yield pid1(clock("16:48:31"), OUT_OF_MEMORY, "php8.2-fpm.service", "")
    name = "A high performance web server and a reverse proxy server"
    at = clock("06:22:11")
    for after, event in enumerate((STOPPING, SUCCEEDED, DONE, STARTING, STARTED)):
        yield pid1(at + 0.2 * after, event, "nginx.service", name)


def _failed_backup(day: Day) -> Iterator[Line]:
    unit, name, at = "nightly-backup.service", "Nightly backup to the second disk", clock("03:30")
    yield pid1(at, STARTING, unit, name)
    tool = Program("nightly-backup", unit, "/usr/local/bin/nightly-backup", transport="stdout")
    pid = day.pid(at)
    yield tool.says(at + 2, "copying /srv to /mnt/backup/2026-03-14", pid)
    fault = "nightly-backup: /mnt/backup/index: Input/output error, giving up"
    yield tool.says(at + 94, fault, pid)
    yield pid1(at + 94.1, EXITED, unit, name)
    yield pid1(at + 94.2, FAILED, unit, "exit-code")
    yield pid1(at + 94.3, FAILED_TO_START, unit, name)
    yield pid1(at + 94.4, CONSUMED, unit, "8.113s")


def pid1(at: float, event: Event, unit: str, name: str, **more: Any) -> Line:
    """A line of systemd about a unit; ``name`` is its description, or what the text calls for."""
    source = "job" if event.function.startswith("job") else "unit"
    fields: dict[str, Any] = {
        "MESSAGE_ID": event.message_id,
        "UNIT": unit,
        "CODE_FILE": f"src/core/{source}.c",
        "CODE_FUNC": event.function,
        "TID": 1,
    }
    if event.function == "job_emit_done_message":
        fields["JOB_RESULT"] = "failed" if event is FAILED_TO_START else "done"
    if source == "job":
        fields["JOB_TYPE"] = "stop" if event in (STOPPING, DONE) else "start"
    text = event.text.format(unit=unit, name=name)
    return PID1.says(at, text, 1, event.priority, **fields, **more)
