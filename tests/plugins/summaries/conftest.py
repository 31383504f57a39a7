"""Days of lines in, tables of the report out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyruse.api.report import Report
from pyruse.report.cells import texts
from pyruse.report.wording import Clock
from pyruse.testing.pipeline import MakePipeline, Pipeline

SYSTEMD = {"SYSLOG_IDENTIFIER": "systemd", "_COMM": "systemd", "_UID": 0, "_PID": 1}


class Machine:
    """A machine with some rules: programs write lines, days end."""

    def __init__(self, pipeline: MakePipeline, use: list[str], toml: str = "") -> None:
        self.flow: Pipeline = pipeline(f"use = {use}\n{toml}")
        self.host = "mercury"

    def says(self, program: str, line: str = "", **fields: Any) -> None:
        """A program of root's writes a line."""
        root = {"SYSLOG_IDENTIFIER": program, "_COMM": program, "_UID": 0}
        self.flow.feed(**{**root, "_HOSTNAME": self.host, "MESSAGE": line, **fields})

    def sshd(self, line: str) -> None:
        self.says("sshd", line)

    def fails(self, user: str, ip: str = "203.0.113.9", times: int = 1) -> None:
        for _ in range(times):
            self.sshd(f"Failed password for {user} from {ip} port 4711 ssh2")

    def enters(self, user: str, ip: str = "192.0.2.7") -> None:
        self.sshd(f"Accepted publickey for {user} from {ip} port 4711 ssh2: RSA SHA256:c2hh")

    def systemd(self, message_id: str, line: str = "", **fields: Any) -> None:
        self.says("systemd", line, MESSAGE_ID=message_id, **SYSTEMD, **fields)

    def kernel(self, line: str) -> None:
        self.says("kernel", line, _TRANSPORT="kernel")

    def ends_day(self) -> Report:
        report = self.flow.end_day()
        assert self.flow.faults == []
        return report

    def day(self) -> str:
        """All summaries of the day as text."""
        report = self.ends_day()
        return "".join(table(report, one.id) for one in report.summaries)


def table(report: Report, id_: str) -> str:
    """A summary as text: facts, columns, rows; what stands out begins with a star."""
    (summary,) = [one for one in report.summaries if one.id == id_]
    lines = [f"# {summary.title}", *summary.facts]
    lines.append(" | ".join(column.name for column in summary.columns))
    for at, row in enumerate(texts(summary, 1_000, Clock(report.begin, report.end))):
        lines.append(("* " if at in summary.emphasis else "") + " | ".join(row))
    if summary.left_out:
        lines.append(f"+ {summary.left_out}")
    return "\n".join(line.rstrip() for line in lines if line) + "\n"


def glances(report: Report) -> dict[str, tuple[Any, Any]]:
    """The rows of "at a glance"."""
    return {one.name: (one.today, one.usual) for one in report.glance}


MakeMachine = Callable[..., Machine]


@pytest.fixture
def machine(pipeline: MakePipeline) -> MakeMachine:
    """Makes a machine: ``machine(["sshd"], toml)``."""
    return lambda use, toml="": Machine(pipeline, use, toml)
