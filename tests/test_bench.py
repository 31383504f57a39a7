"""The benches do what they say; their figures are nobody's test."""

from __future__ import annotations

from pathlib import Path

import pytest

from bench import fail2ban
from bench.cluster import entries
from bench.daemon import Daemon
from bench.jails import verdicts
from bench.journals import sample
from bench.measure import Figure, Row, Target
from bench.speed import HEAD, filled
from pyruse.testing.journal import make_journal, unavailable
from pyruse.testing.namespace import unavailable as namespace_unavailable
from pyruse.testing.plugin import need


@pytest.fixture
def kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Journals are kept in the test's folder, not in everybody's."""
    need(unavailable())
    monkeypatch.setenv("PYRUSE_BENCH", str(tmp_path / "kept"))


def test_a_row_says_whether_its_median_is_as_it_should_be() -> None:
    figure = Figure.of([3.0, 1.5, 2.0])
    assert str(Row("This", figure, Target(2))) == "| This | 2 (1.50 – 3) | ≤ 2 | yes |"
    assert str(Row("This", figure, Target(1.9))) == "| This | 2 (1.50 – 3) | ≤ 1.9 | **no** |"
    assert str(Row("This", figure, Target(3, at_least=True), "MB")) == (
        "| This | 2 (1.50 – 3) MB | ≥ 3 MB | **no** |"
    )
    assert str(Row("This", figure)) == "| This | 2 (1.50 – 3) |  |  |"


def test_a_page_gets_the_table_and_single_figures() -> None:
    row = Row("This", Figure.of([12.34]), name="floor of this")
    page = (
        "It is <!-- measured: floor of this -->9<!-- end --> times.\n\n"
        "<!-- measured: table -->\n\nold\n\n<!-- end -->\n"
    )
    assert filled(page, [row]) == (
        "It is <!-- measured: floor of this -->12.3<!-- end --> times.\n\n"
        f"<!-- measured: table -->\n\n{HEAD}\n{row}\n\n<!-- end -->\n"
    )


def test_a_part_that_is_measured_again_leaves_the_rest_of_the_page_as_it_is() -> None:
    one, other = Row("One", Figure.of([1.0]), name="one"), Row("Other", Figure.of([2.0]))
    again = Row("Other", Figure.of([3.0]))
    page = "<!-- measured: one -->1<!-- end --> <!-- measured: table -->\n\nold\n\n<!-- end -->\n"
    page = filled(page, [one, other])
    assert filled(page, [again], only_some=True) == page.replace(str(other), str(again))


def test_the_cluster_logs_with_8_to_60_fields_and_always_the_same() -> None:
    made = list(entries(1, 500))
    # Without the time, which is no field.
    assert {len(one) - 1 for one in made} == {8, 24, 60}
    assert made == list(entries(1, 500))


@pytest.mark.realparts
@pytest.mark.usefixtures("kept")
def test_fail2ban_and_the_chains_for_the_same_jails_ban_the_same_addresses(tmp_path: Path) -> None:
    need(fail2ban.unavailable() or namespace_unavailable())
    _, _, banned = verdicts(tmp_path / "jails", sample(2_000))
    assert {"192.0.2.144", "203.0.113.66", "203.0.113.251"} <= banned


@pytest.mark.realparts
def test_a_daemon_is_observed_without_being_asked(tmp_path: Path) -> None:
    need(unavailable())
    journal = tmp_path / "journal"
    journal.mkdir()
    make_journal(journal / "system.journal", [{"MESSAGE": "one"}, {"MESSAGE": "two"}])
    (tmp_path / "pyruse.toml").write_text(
        f'[journal]\ndirectory = "{journal}"\nstart = "head"\n'
        f'[state]\nurl = "sqlite://{tmp_path}/state.sqlite"\nkeep = "520w"\n'
        '[bans.nftables]\ncommand = ["/bin/true"]\n[chains]\n"all" = [{ action = "discard" }]\n'
    )
    with Daemon(tmp_path) as daemon:
        daemon.wait_for(2)
        assert daemon.reached() > 0
        assert 10 < daemon.memory_mb() < 200
        assert daemon.cpu_s() > 0
        assert daemon.wakeups() > 0
