"""The plugins that the documentation shows do what it says."""

from __future__ import annotations

import inspect
import itertools
import os
import socket
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace

import pytest

from pyruse import hookspecs
from pyruse.config.reference import described_plugin
from pyruse.registry.hooks import HOOKS
from pyruse.registry.registry import Registry
from tests.docs.markdown import ROOT, blocks_of
from tests.docs.site import install

DOCUMENTS = [ROOT / "docs" / name for name in ("writing-plugins.md", "hooks.md")]
"""The guide and the reference: what one shows, the other uses."""


@pytest.fixture(autouse=True)
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for document in DOCUMENTS:
        install(document, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def test_its_tests_pass(site: Path) -> None:
    """The first filter, and the one that takes its place, both pass the tests that are shown."""
    tests = [file.name for file in site.glob("test_*.py")]
    assert tests
    (site / "pytest.ini").write_text("[pytest]\n")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *tests],
        cwd=site, capture_output=True, text=True, check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join([str(site), *_python_path()])},
    )  # fmt: skip
    assert done.returncode == 0, done.stdout


def _python_path() -> list[str]:
    return list(filter(None, [os.environ.get("PYTHONPATH")]))


def test_every_package_has_its_plugin() -> None:
    found = [one for one in Registry().all() if one.distribution != "pyruse"]
    assert {one.distribution for one in found} >= {"pyruse-at-night", "pyruse-observe"}
    for one in found:
        assert described_plugin(one)["summary"]


def test_every_hook_has_an_example() -> None:
    """That it has a chapter, with its signature, is for tools/generate_docs.py to see."""
    blocks = itertools.chain.from_iterable(map(blocks_of, DOCUMENTS))
    python = [block.text for block in blocks if block.language == "python"]
    for hook in HOOKS:
        example = f"    @hookimpl\n    def {hook}(self"
        assert any(example in text for text in python), f"{hook} has no example"


def test_what_is_exported_is_told_of() -> None:
    """Types of options, and what goes with entries, stand in tables."""
    text = "".join(document.read_text("utf-8") for document in DOCUMENTS)
    types = "Field NewField Template Pattern Duration Size Networks MailAddress SecretFile"
    for name in types.split():
        assert f"\n| `{name}` |" in text


def test_first_seen(pipeline, clock) -> None:
    chains = pipeline(
        """
        [chains]
        "sudo" = [
          { filter = "first_seen", field = "command" },
          { action = "report", section = "important", message = "{command}" },
        ]
        """
    )
    for command in ("/usr/bin/apt", "/usr/bin/apt", "/usr/bin/id"):
        chains.feed(command=command)
    clock.advance("30d")
    chains.feed(command="/usr/bin/apt")
    assert [(row.message, row.count) for row in chains.report.important] == [
        ("/usr/bin/apt", 2),
        ("/usr/bin/id", 1),
    ]


def test_statsd_is_not_called_in_a_dry_run(pipeline) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.setblocking(False)
        port = statsd.getsockname()[1]
        step = f'{{ action = "statsd", metric = "x", host = "127.0.0.1", port = {port} }}'
        chains = pipeline(f'[chains]\n"all" = [{step}]')
        chains.feed(MESSAGE="hello")
        assert chains.skipped == ['chains."all"[0]']
        with pytest.raises(BlockingIOError):
            statsd.recv(100)


def test_statsd(make_entry) -> None:
    from pyruse_statsd import Statsd  # type: ignore[import-not-found]

    from pyruse import Template

    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as statsd:
        statsd.bind(("127.0.0.1", 0))
        statsd.settimeout(5)
        action = Statsd(Template("ssh.{result}"), "127.0.0.1", statsd.getsockname()[1])
        action.on_start()
        action.act_on_entry(make_entry(result="failed"))
        action.on_stop()
        assert statsd.recv(100) == b"ssh.failed:1|c"


def test_page(pipeline) -> None:
    chains = pipeline('[chains]\n"all" = [{ action = "page", to = ["me"], message = "{MESSAGE}" }]')
    chains.feed(MESSAGE="fire", _HOSTNAME="host")
    [mail] = chains.emails
    assert (mail.subject, mail.to, mail.body) == ("host: wake up", ["me"], "fire")


def test_page_for_nobody(pipeline) -> None:
    with pytest.raises(Exception, match="nobody is on call"):
        pipeline('[chains]\n"all" = [{ action = "page", message = "{MESSAGE}" }]')


def test_disk_space(pipeline, tmp_path: Path) -> None:
    chains = pipeline(
        f"""
        [plugins.disk_space]
        paths = ["/"]
        full = 0.000001
        motd = "{tmp_path}/motd"

        [chains]
        "all" = [{{ action = "report", section = "important", message = "{{MESSAGE}}" }}]
        """
    )
    chains.feed(MESSAGE="hello")
    chains.end_day()
    told = (tmp_path / "motd").read_text()
    assert "hello" in told
    assert " / is full: " in told
    assert "\nROOM ON DISKS\n" in told
    assert "\nFullest disk  " in told


def test_observe(pipeline) -> None:
    chains = pipeline(
        """
        [bans]
        backend = "observe"

        [chains]
        "all" = [{ action = "ban", ip = "ip", duration = "1h" }]
        """
    )
    chains.feed(ip="203.0.113.7")
    assert [ban.ip for ban in chains.bans] == ["203.0.113.7"]


def test_observe_refuses_options_and_sets(pipeline) -> None:
    ban = '[chains]\n"all" = [{ action = "ban", ip = "ip", backend = "observe"%s }]\n'
    with pytest.raises(Exception, match=r"bans\.observe\.x: unknown option \(expected none\)"):
        pipeline(ban % "" + "[bans.observe]\nx = 1\n")
    with pytest.raises(Exception, match="observe has no sets"):
        pipeline(ban % ', sets = { ipv4 = "ip a b" }')


def test_ban_count(pipeline, tmp_path) -> None:
    from pyruse_ban_count import BanCount  # type: ignore[import-not-found]

    ban = '[chains]\n"all" = [{ action = "ban", ip = "ip", duration = "1h" }]'
    chains = pipeline(ban, state=tmp_path / "state.sqlite")
    chains.feed(ip="203.0.113.7")
    plugin = BanCount(port=0)
    plugin.on_start(SimpleNamespace(observer=chains.observer))
    address = plugin.socket.getsockname()
    with socket.create_connection(address, timeout=20) as connection:
        assert connection.recv(100) == b"1\n"
    plugin.on_stop()
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(address)


def test_deny_list(pipeline, tmp_path) -> None:
    denied = tmp_path / "denied"
    chains = pipeline(
        f"""
        [bans]
        backend = "deny_list"
        [bans.deny_list]
        path = "{denied}"

        [chains]
        "un" = [
          {{ filter = "exists", field = "free" }},
          {{ action = "unban", ip = "free" }},
        ]
        "all" = [{{ action = "ban", ip = "ip" }}]
        """
    )
    for fields in ({"ip": "203.0.113.7"}, {"ip": "2001:db8::7"}, {"free": "203.0.113.7"}):
        chains.feed(**fields)
        assert chains.enforce() == []
    assert denied.read_text() == "2001:db8::7\n"
    denied.unlink()
    denied.mkdir()
    chains.feed(ip="203.0.113.8")
    assert chains.enforce() == [f"deny_list: {denied}: Is a directory"]


def test_the_picture_of_a_day_has_each_hook_with_its_arguments() -> None:
    _, _, chapter = DOCUMENTS[1].read_text("utf-8").partition("## When each hook is called\n")
    picture = chapter.partition("```text\n")[2].partition("```\n")[0]
    for hook in HOOKS:
        taken = inspect.signature(getattr(hookspecs, hook)).parameters
        named = f"{hook}({', '.join(taken)})"
        assert picture.count(named) == 1, named
