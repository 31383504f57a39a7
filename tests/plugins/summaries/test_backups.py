"""The table of backups."""

from __future__ import annotations

from tests.plugins.summaries.conftest import table

CHAINS = """
[chains]
backup = [
  { filter = "exists", field = "reason", else = "done" },
  { action = "event", name = "backup failed", service = "borg" },
]
done = [ { action = "event", name = "backup done", service = "borg" } ]
"""


def test_those_that_failed_come_first(pipeline):
    flow = pipeline(CHAINS)
    flow.feed(name="srv", size="3145728")
    flow.feed(name="home", reason="Connection closed by remote host")
    report = flow.end_day()
    assert (
        table(report, "backups")
        == """\
# Backups
Backup | By | What | Why | Times | Size | Last
* home | borg | failed | Connection closed by remote host | 1 |  | 12:00:00
srv | borg | done |  | 1 | 3.0 MiB | 12:00:00
"""
    )


def test_only_those_that_failed(pipeline):
    flow = pipeline("[plugins.backup_summary]\nfailed_only = true\n" + CHAINS)
    flow.feed(name="home", size="1048576")
    assert flow.end_day().summaries == []
