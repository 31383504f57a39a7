"""What an observer sees of a running Pyruse, from other threads."""

from __future__ import annotations

import json
import socket
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest

from pyruse import UserError, parse_network
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.daemon.control import Message
from pyruse.daemon.status.observer import StateObserver
from pyruse.registry.registry import Registry
from pyruse.report.render import Renderer
from pyruse.state import found_events
from pyruse.testing.pipeline import Clock, Pipeline
from pyruse.times import now_us

CHAINS = """
[report]
timezone = "UTC"
[bans]
backend = "nftables"

[chains]
"ssh" = [
  { filter = "regex", pattern = '^bad (?P<ip>\\S+)', name = "failed logins", else = "mail" },
  { action = "count", counter = "ssh", key = "ip", within = "10m" },
  { action = "count", counter = "ever", key = "ip" },
  { action = "report", section = "important", message = "Ban of {ip}" },
  { action = "ban", ip = "ip", duration = "1h" },
]
"all" = [
  { filter = "exists", field = "secret", invert = true, then = "mail" },
  { action = "discard" },
]
"mail" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]
"""

Pipelines = Callable[..., Pipeline]


@pytest.fixture
def chains(pipeline: Pipelines, tmp_path: Path) -> Pipeline:
    return pipeline(CHAINS, state=tmp_path / "state.sqlite")


def test_the_chains_are_shown_as_they_are_linked(chains: Pipeline) -> None:
    ssh, everything, mail = chains.observer.chains()
    assert [(one["chain"], one["main"]) for one in (ssh, everything, mail)] == [
        ("ssh", True),
        ("all", True),
        ("mail", False),
    ]
    assert ssh["steps"][0] == {
        "index": 0, "kind": "filter", "plugin": "regex", "label": "failed logins",
        "invert": False, "then": None, "else": "mail",
    }  # fmt: skip
    assert everything["steps"][0] == {
        "index": 0, "kind": "filter", "plugin": "exists", "label": None,
        "invert": True, "then": "mail", "else": None,
    }  # fmt: skip
    assert [step["plugin"] for step in ssh["steps"][1:]] == ["count", "count", "report", "ban"]
    assert json.loads(json.dumps(chains.observer.chains())) == chains.observer.chains()


def test_the_bans_are_those_in_force(chains: Pipeline, clock: Clock) -> None:
    for ip in ("203.0.113.7", "2001:db8::7"):
        chains.feed(MESSAGE=f"bad {ip}", ip=ip)
        clock.advance("1m")
    both = chains.observer.bans()
    assert [(one["ip"], one["label"], one["since"], one["until"]) for one in both] == [
        ("203.0.113.7", "ssh", "2026-03-14T12:00:00+00:00", "2026-03-14T13:00:00+00:00"),
        ("2001:db8::7", "ssh", "2026-03-14T12:01:00+00:00", "2026-03-14T13:01:00+00:00"),
    ]
    inside = parse_network("2001:db8::/32")
    assert chains.observer.bans(inside=inside) == both[1:]
    assert chains.observer.bans(label="mail") == []

    clock.advance("58m")
    assert [one["ip"] for one in chains.observer.bans()] == ["2001:db8::7"]


def test_a_counter_has_as_many_keys_as_still_count(chains: Pipeline, clock: Clock) -> None:
    for number in (1, 2, 2, 3):
        chains.feed(MESSAGE=f"bad 203.0.113.{number}")
    assert chains.observer.counters() == {"ever": 3, "ssh": 3}
    clock.advance("10m")
    assert chains.observer.counters() == {"ever": 3}


def test_what_is_not_committed_is_not_seen(chains: Pipeline) -> None:
    observer = chains.observer
    chains.feed(MESSAGE="bad 203.0.113.7")
    assert (observer.bans(), observer.counters(), observer.report().events) == ([], {}, 0)
    chains.state.commit()
    assert (len(observer.bans()), observer.report().events) == (1, 1)


def test_the_report_of_today_has_what_came_last_and_counts_the_rest(
    chains: Pipeline, clock: Clock
) -> None:
    begin = clock.now
    for number in range(6):
        chains.feed(MESSAGE=f"bad 203.0.113.{number % 3}")
        chains.feed(MESSAGE=f"mail {number}")
        clock.advance("1m")
    report = chains.observer.report(limit=2)
    assert (report.title, report.entries, report.events) == ("2026-03-14", 12, 12)
    assert [(row.message, row.count) for row in report.important] == [
        ("Ban of 203.0.113.1", 2),
        ("Ban of 203.0.113.2", 2),
    ]
    [times] = report.important[0].details
    assert (times.details, times.count) == ("FIRSTLAST", 2)
    assert [(time - begin).seconds for time in times.shown] == [60, 240]
    assert [line.message for line in report.other] == ["mail 4", "mail 5"]
    assert report.left_out == {"important": 2, "interesting": 0, "other": 4}
    text = Renderer(None, 10_000).render(report, "text")
    assert "12:00–12:05" in text, "by kind, all of them are told"


def test_each_kept_day_can_be_seen_again_as_it_was_delivered(
    pipeline: Pipelines, clock: Clock, tmp_path: Path
) -> None:
    chains = pipeline(DIGESTS, state=tmp_path / "state.sqlite")
    chains.feed(MESSAGE="bad 203.0.113.7")
    delivered = chains.end_day()
    chains.feed(MESSAGE="bad 203.0.113.8")
    observer = chains.observer
    report = observer.report(day="2026-03-14")
    assert [row.message for row in report.important] == ["Ban of 203.0.113.7"]
    for part in ("attention", "glance", "hours", "unusual", "kinds", "entries", "days", "begin"):
        assert getattr(report, part) == getattr(delivered, part), part
    assert [row.message for row in observer.report(day="2026-03-15").important] == [
        "Ban of 203.0.113.8"
    ]
    assert observer.report(day="2026-03-15").title == observer.report().title == "2026-03-15"


DIGESTS = CHAINS.replace("[report]", '[report]\ndigests = ["week", "month"]')


def test_the_reports_that_can_be_seen_are_days_and_the_digests_that_are_asked_for(
    pipeline: Pipelines, tmp_path: Path
) -> None:
    chains = pipeline(DIGESTS, state=tmp_path / "state.sqlite")
    for number in range(3):  # Saturday to Monday
        chains.feed(MESSAGE=f"bad 203.0.113.{number}")
        chains.end_day()
    observer = chains.observer
    reports = {one["name"]: (one["every"], one["entries"]) for one in observer.reports()}
    assert reports == {
        "2026-03-14": ("day", 1),
        "2026-03-15": ("day", 1),
        "2026-03-16": ("day", 1),
        "2026-W11": ("week", 2),
        "2026-W12": ("week", 1),
        "2026-03": ("month", 3),
    }
    sent = {one["name"]: one["reported"] is not None for one in observer.reports()}
    assert sent == {
        "2026-03-14": True, "2026-03-15": True, "2026-03-16": True,
        "2026-W11": True, "2026-W12": False, "2026-03": False,
    }  # fmt: skip
    week, month = observer.report(day="2026-W11"), observer.report(day="2026-03")
    assert (week.title, week.every, week.entries) == ("2026-W11", "week", 2)
    assert [row.message for row in month.important] == [f"Ban of 203.0.113.{n}" for n in range(3)]
    assert month.notes == [
        f"nothing is kept of 28 of these 31 days: "
        f"{', '.join(f'2026-03-{day:02}' for day in [*range(1, 14), *range(17, 32)])}"
    ]


@pytest.mark.parametrize("day", ["2025-01-01", "2025-W01", "x\x1b", "2026-03-14/../.."])
def test_a_report_of_which_nothing_is_kept_is_one_clear_line(
    chains: Pipeline, clock: Clock, day: str
) -> None:
    chains.feed(MESSAGE="bad 203.0.113.7")
    with pytest.raises(UserError, match=r"no report of .* is kept \(expected 2026-03-14\)"):
        chains.observer.report(day=day)


def test_machines_that_have_a_report_of_their_own_are_seen_apart(
    pipeline: Pipelines, tmp_path: Path
) -> None:
    apart = CHAINS.replace("[report]", '[report]\nhosts = "apart"')
    chains = pipeline(apart, state=tmp_path / "state.sqlite")
    chains.feed(MESSAGE="mail of mine", _HOSTNAME=socket.gethostname())
    chains.feed(MESSAGE="mail of web1", _HOSTNAME="web1")
    observer = chains.observer
    assert observer.machines() == ["web1"]
    assert [line.message for line in observer.report().other] == ["mail of mine"]
    web1 = observer.report(machine="web1")
    assert ([line.message for line in web1.other], web1.machine) == (["mail of web1"], "web1")
    found = observer.search("MAIL", day="2026-03-14", machine="web1")
    assert [one["message"] for one in found["messages"]] == ["mail of web1"]
    with pytest.raises(
        UserError, match=r'there is no report of "web2" alone \(expected one of "web1"\)'
    ):
        observer.report(machine="web2")
    assert chains.observer.search("mail of")["all"]


def test_messages_are_found_by_a_text_and_nothing_in_it_is_special(
    chains: Pipeline, clock: Clock
) -> None:
    for number in range(3):
        chains.feed(MESSAGE="mail 100% \\ of_it", at=clock.now + timedelta(seconds=number))
    chains.feed(MESSAGE="mail 100 and others")
    chains.feed(MESSAGE="bad 203.0.113.7")
    observer = chains.observer
    for text in ("100%", "OF_IT", "\\"):
        [one] = observer.search(text)["messages"]
        assert (one["message"], one["events"], one["section"]) == ("mail 100% \\ of_it", 3, "other")
        assert one["last"] - one["first"] == 2_000_000
    assert observer.search("' OR 1 --") == {"messages": [], "all": True}
    assert [one["message"] for one in observer.search("0", section="important")["messages"]] == [
        "Ban of 203.0.113.7"
    ]
    bounded = observer.search("mail", limit=1)
    assert ([one["message"] for one in bounded["messages"]], bounded["all"]) == (
        ["mail 100 and others"],
        False,
    )


def test_a_search_ends_in_time_with_what_it_has_found(
    chains: Pipeline, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(200):
        chains.feed(MESSAGE=f"mail {number}")
    observer = chains.observer
    monkeypatch.setattr(found_events, "_LONGEST_S", -1.0)
    monkeypatch.setattr(found_events, "_INSTRUCTIONS", 100)
    assert observer.search("mail")["all"] is False


def test_a_report_that_is_not_limited_has_the_rows_of_the_daily_one(
    pipeline: Pipelines, clock: Clock, tmp_path: Path
) -> None:
    steps = "".join(
        f'{{ action = "report", section = "interesting", message = "{{MESSAGE}}", '
        f'details = "{details}" }},\n'
        for details in ("NONE", "FIRST", "LAST", "FIRSTLAST")
    )
    chains = pipeline(f'[chains]\n"all" = [\n{steps}]\n', state=tmp_path / "state.sqlite")
    for number in range(5):
        chains.feed(MESSAGE=f"message {number % 2}")
        clock.advance("1m")
    chains.state.commit()
    whole, glance = chains.engine.report("2026-03-14"), chains.observer.report()
    assert glance.left_out == {"important": 0, "interesting": 0, "other": 0}
    assert (glance.interesting, glance.entries) == (whole.interesting, whole.entries)
    assert (glance.begin, glance.end, glance.first) == (whole.begin, whole.end, whole.first)


def test_yesterday_is_not_today(chains: Pipeline, clock: Clock) -> None:
    chains.feed(MESSAGE="mail")
    chains.end_day()
    report = chains.observer.report()
    assert (report.title, report.events, report.entries) == ("2026-03-15", 0, 0)


def observer_of(path: Path, daemon: Callable[[], Message | None]) -> StateObserver:
    toml = f'{CHAINS}\n[journal]\ndirectory = "{path.parent}"\n'
    return StateObserver(configure(from_text(toml), Registry()), str(path), daemon, now_us)


def test_the_status_has_what_the_daemon_says_of_itself(chains: Pipeline, tmp_path: Path) -> None:
    chains.feed(MESSAGE="bad 203.0.113.7")
    chains.state.commit()
    said = {"pid": 1, "chains": None}
    status = observer_of(tmp_path / "state.sqlite", lambda: said).status()
    assert (status["running"], status["daemon"]) == (True, said)
    alone = observer_of(tmp_path / "state.sqlite", lambda: None).status()
    assert (alone["running"], alone["daemon"]) == (False, None)


@pytest.mark.parametrize("method", ["status", "bans", "counters", "report", "reports", "machines"])
def test_a_state_that_cannot_be_read_is_one_clear_line(tmp_path: Path, method: str) -> None:
    observer = observer_of(tmp_path / "none.sqlite", lambda: None)
    with pytest.raises(UserError, match=r"none\.sqlite: .* \(expected ") as caught:
        getattr(observer, method)()
    assert "\n" not in str(caught.value)


def test_a_table_that_is_gone_is_one_clear_line(chains: Pipeline, tmp_path: Path) -> None:
    chains.state.commit()
    with closing(sqlite3.connect(tmp_path / "state.sqlite")) as db:
        db.execute("DROP TABLE counts")
    with pytest.raises(UserError, match="no such table: counts"):
        chains.observer.counters()


def test_many_threads_may_look_while_the_main_loop_writes(chains: Pipeline) -> None:
    observer, done = chains.observer, threading.Event()

    def look() -> int:
        looks = 0
        while not done.is_set() or not looks:
            counted = observer.counters()
            # Both counters are raised by each entry: of one instant, they agree.
            assert counted.get("ssh") == counted.get("ever")
            report = observer.report()
            assert sum(row.count for row in report.important) == report.entries
            looks += 1
        return looks

    with ThreadPoolExecutor(4) as threads:
        looking = [threads.submit(look) for _ in range(4)]
        try:
            for number in range(300):
                chains.feed(MESSAGE=f"bad 203.0.113.{number}")
                chains.state.commit()
        finally:
            done.set()
        assert all(one.result() for one in looking)


def test_an_observer_cannot_write(chains: Pipeline, tmp_path: Path) -> None:
    chains.state.commit()
    with (
        observer_of(tmp_path / "state.sqlite", lambda: None)._state() as state,
        pytest.raises(sqlite3.OperationalError, match="readonly"),
    ):
        state.db.execute("DELETE FROM event_texts")


def test_in_a_dry_run_there_is_nothing_to_observe(chains: Pipeline) -> None:
    assert chains.engine.services.observer is None
