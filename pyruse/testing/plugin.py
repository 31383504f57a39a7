"""Fixtures for the tests of plugins: a pytest plugin, there as soon as Pyruse is installed.

`make_entry`, `pipeline`, `check_rules`, `daemon` and `http_server` need nothing but Python.
`journal_file`, `journald`, `smtp_server`, `network_namespace` and `machines` use real parts; where
a machine lacks one, the test is skipped with the reason, or fails if the environment says
``PYRUSE_REAL_PARTS=required``.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:  # pytest loads this module in every project where Pyruse is installed
    from pyruse.engine.faults import Fault
    from pyruse.testing.daemon import Daemon, MakeDaemon
    from pyruse.testing.http_server import HttpServer
    from pyruse.testing.journald import Journald
    from pyruse.testing.machines import Machines
    from pyruse.testing.namespace import NetworkNamespace
    from pyruse.testing.pipeline import Clock, MakeEntry, MakeJournal, MakePipeline, Pipeline
    from pyruse.testing.smtp import SmtpServer

REQUIRED = "PYRUSE_REAL_PARTS"

CheckRules = Callable[[str | Path], None]
"""Tests the rules of a name, or of a file."""


def need(reason: str | None) -> None:
    """Skip a test for the reason that a real part is lacking; fail it where parts are required."""
    if reason is None:
        return
    if os.environ.get(REQUIRED) == "required":
        pytest.fail(f"{REQUIRED}=required, but {reason}", pytrace=False)
    pytest.skip(reason)


@pytest.fixture
def make_entry(clock: Clock) -> MakeEntry:
    """``make_entry(MESSAGE="hello")``: an entry with these fields, at the clock's time."""
    from pyruse.entry.made import make_entry as make

    return lambda **fields: make(fields, time_us=clock.us)


@pytest.fixture
def clock() -> Clock:
    """The time of the entries: ``clock.now``, ``clock.advance("10m")``."""
    from pyruse.testing.pipeline import Clock

    return Clock()


_SHOWN = pytest.StashKey[list[tuple[str, Callable[[], str]]]]()
"""What is shown of a test that fails: each text's title, and what gives it."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show, when a test fails, what its pipelines and daemons have to tell."""
    report = yield
    if report.when == "call" and report.failed:
        texts = ((title, text()) for title, text in item.stash.get(_SHOWN, []))
        report.sections += [(title, text) for title, text in texts if text]
    return report


def _in_words(faults: Iterable[Fault]) -> str:
    return "\n".join(
        f"{fault.place}: {fault.text}" + (f" ({fault.count} times)" if fault.count > 1 else "")
        for fault in faults
    )


def _show_on_failure(request: pytest.FixtureRequest, title: str, text: Callable[[], str]) -> None:
    request.node.stash.setdefault(_SHOWN, []).append((title, text))


@pytest.fixture
def pipeline(clock: Clock, request: pytest.FixtureRequest) -> Iterator[MakePipeline]:
    """``pipeline(toml_text)``: a configuration at work (see `Pipeline`), on the test's clock.

    When the test fails, pytest shows the ways of its last entries, step by step, and the faults of
    steps and plugins.
    ``pipeline(toml_text, state=tmp_path / "state.sqlite").observer`` looks at it from any thread.
    ``pipeline(toml_text, plugins=Path("mine.py"))`` knows the plugins of a file, too.
    """
    from pyruse.testing.pipeline import Pipeline

    with ExitStack() as end:

        def make(
            toml: str,
            state: Path | None = None,
            plugins: Path | str | type | Iterable[Path | str | type] = (),
        ) -> Pipeline:
            made = Pipeline(toml, clock, state=state, plugins=plugins)
            end.callback(made.state.close)
            end.callback(made.engine.bans.enforcement.close)
            end.callback(made.engine.stop)
            title = "ways of the entries through the chains"
            _show_on_failure(request, title, lambda: "\n".join(made.ways))
            _show_on_failure(request, "faults of steps and plugins", lambda: _in_words(made.faults))
            return made

        yield make


@pytest.fixture
def check_rules() -> CheckRules:
    """``check_rules("mine")``: test rules by all their samples, as ``pyruse rules --test`` does.

    Injections are among the tests: texts that strangers could write are put into the samples, and
    no other address than the true one may come out.
    ``check_rules(Path("mine.toml"))`` tests rules that no package has.
    """
    from pyruse.registry.files import PluginFiles
    from pyruse.registry.registry import Registry
    from pyruse.replay.samples import sample_faults
    from pyruse.rules.library import Library

    def check(rules: str | Path) -> None:
        files = [PluginFiles(rules, trusted=True)] if isinstance(rules, Path) else []
        registry = Registry(*files)
        name = rules.stem if isinstance(rules, Path) else rules
        faults = sample_faults(Library(registry).rules(name), registry)
        if faults:
            pytest.fail("\n".join(faults), pytrace=False)

    return check


@pytest.fixture
def journal_file(tmp_path: Path) -> MakeJournal:
    """``journal_file(entries)``: a real journal file with these entries, mappings of fields."""
    from pyruse.testing.journal import make_journal, unavailable

    need(unavailable())
    count = 0

    def make(entries: list[Mapping[str, Any]]) -> Path:
        nonlocal count
        count += 1
        folder = tmp_path / f"journal{count}"
        folder.mkdir()
        return make_journal(folder / "system.journal", entries)

    return make


@pytest.fixture
def journald() -> Iterator[Journald]:
    """A real systemd-journald: ``journald.send(MESSAGE="hello")``, ``.rotate()``, ``.vacuum()``."""
    from pyruse.testing.journald import Journald, unavailable

    need(unavailable())
    with Journald() as running:
        yield running


@pytest.fixture
def daemon(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[MakeDaemon]:
    """``daemon(toml_text, journald)``: a whole daemon, to be started (see `Daemon`).

    It reads the journal of a `journald`, or a `journal_file`; of this machine, it changes nothing.
    When the test fails, pytest shows what it has said.
    """
    from pyruse.testing.daemon import Daemon

    count = 0
    with ExitStack() as end:

        def make(toml: str, journal: Journald | Path, *, prefix: Sequence[str] = ()) -> Daemon:
            nonlocal count
            count += 1
            folder = tmp_path / f"daemon{count}"
            folder.mkdir()
            made = end.enter_context(Daemon(folder, prefix))
            made.surround(journal)
            made.configure(toml)
            _show_on_failure(request, "log of the daemon", lambda: made.log)
            return made

        yield make


@pytest.fixture
def smtp_server() -> Iterator[SmtpServer]:
    """A real SMTP server on loopback: ``.url``, ``.messages``."""
    from pyruse.testing.smtp import SmtpServer, unavailable

    need(unavailable())
    with SmtpServer() as server:
        yield server


@pytest.fixture
def http_server() -> Iterator[HttpServer]:
    """A real web server on loopback: ``.url``, ``.requests``, ``.answer``, ``.answers``."""
    from pyruse.testing.http_server import HttpServer

    with HttpServer() as server:
        yield server


@pytest.fixture
def network_namespace() -> Iterator[NetworkNamespace]:
    """A network namespace of its own: ``.run(["nft", "list", "ruleset"])``."""
    from pyruse.testing.namespace import NetworkNamespace, unavailable

    need(unavailable())
    with NetworkNamespace() as namespace:
        yield namespace


@pytest.fixture
def machines() -> Iterator[Machines]:
    """An attacker and a server: ``.server.run(["nft", …])``, ``.dropped(22)``."""
    from pyruse.testing.machines import Machines
    from pyruse.testing.namespace import unavailable

    need(unavailable())
    with Machines() as both:
        yield both
