"""A plugin that delivers over HTTP, in whole daemons that are killed, stopped and reloaded."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.testing import Answer, Daemon, HttpServer, MakeDaemon, MakeJournal
from tests.docs.site import install_package

SOURCE = '''
import json
from dataclasses import dataclass
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from pyruse import Refused, Template, hookimpl

@dataclass
class Hook:
    """Tells a web service."""

    url: str
    message: Template = Template("{MESSAGE}")

    @hookimpl
    def act_on_entry(self, entry, context):
        context.send(entry, self.message.render(entry))

    @hookimpl
    def deliver(self, parcel):
        data = json.dumps(parcel.payload).encode()
        try:
            urlopen(Request(self.url, data, {"Idempotency-Key": parcel.id})).close()
        except HTTPError as fault:
            if fault.code == 400:
                raise Refused("HTTP 400")
            raise

@dataclass
class EndOfDay:
    """Tells a web service what day has ended."""

    url: str = ""

    @hookimpl
    def on_day_end(self, report, context):
        if self.url:
            context.send(None, report.title)

    @hookimpl
    def deliver(self, parcel):
        urlopen(Request(self.url, json.dumps(parcel.payload).encode())).close()
'''


@pytest.fixture
def hooked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, daemon: MakeDaemon, journal_file: MakeJournal
) -> Callable[..., Daemon]:
    """Make a daemon that has the action `hook`, and an entry for each of some messages."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "pyruse_hook.py").write_text(SOURCE)
    points = {
        "pyruse.actions": {"hook": "pyruse_hook:Hook"},
        "pyruse": {"end_of_day": "pyruse_hook:EndOfDay"},
    }
    install_package({"name": "pyruse-hook", "version": "1.0", "entry-points": points}, site)
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH")]))
    monkeypatch.setenv("PYTHONPATH", path)

    def make(toml: str, *messages: str) -> Daemon:
        return daemon(toml, journal_file([{"MESSAGE": message} for message in messages]))

    return make


def chains(url: str) -> str:
    return f'[chains]\n"all" = [{{ action = "hook", url = "{url}" }}]\n'


def keys(server: HttpServer) -> list[str | None]:
    return [request.headers["Idempotency-Key"] for request in server.requests]


def nothing_waits(pyruse: Daemon) -> bool:
    outbox: dict[str, object] = pyruse.ask("status")["outbox"]
    return outbox == {"waiting": {}, "set_aside": []}


def test_what_a_daemon_was_killed_over_comes_again_with_the_same_key(hooked, http_server):
    pyruse = hooked(chains(http_server.url), "one", "two")
    http_server.answers = [Answer(delay=3600)]
    pyruse.start()
    http_server.wait_for(1)
    pyruse.stop(signal.SIGKILL)
    pyruse.start()
    assert [request.json for request in http_server.wait_for(3)] == ["one", "one", "two"]
    pyruse.wait_until(lambda: nothing_waits(pyruse))
    first, second, third = keys(http_server)
    assert first == second != third


def test_a_stop_does_not_wait_for_a_plugin(hooked, http_server):
    pyruse = hooked(chains(http_server.url), "one")
    http_server.answers = [Answer(delay=3600)]
    pyruse.start()
    http_server.wait_for(1)
    assert pyruse.stop() == 0
    assert pyruse.ask("status")["outbox"]["waiting"]["action hook"] == 1
    assert pyruse.start().stop() == 0
    assert [request.json for request in http_server.wait_for(2)] == ["one", "one"]


def test_what_is_refused_is_in_the_status_and_what_fails_waits(hooked, http_server):
    pyruse = hooked(chains(http_server.url), "one", "two", "three")
    http_server.answers = [Answer(status=400), Answer()]
    http_server.answer = Answer(status=503)
    pyruse.start()
    status = pyruse.wait_until(
        lambda: pyruse.ask("status"),
        lambda status: (
            sum(one["count"] for one in status["faults"]) == 2
            and status["outbox"]["waiting"] == {"action hook": 1}  # the day's report has left
        ),
    )
    [aside] = status["outbox"]["set_aside"]
    assert (aside["kind"], aside["fault"]) == ("action hook", "action hook: HTTP 400")
    waits = "Outbox   1 parcel of action hook waiting, 1 set aside, the parcel of action"
    # A fault is known a moment before it is kept with its parcel.
    text = pyruse.wait_until(lambda: pyruse.command("status").stdout, lambda text: waits in text)
    assert "failed: action hook: HTTPError: HTTP Error 503: Service Unavailable" in text


def test_a_plugin_that_a_reload_removed_gets_its_parcels_when_it_is_back(hooked, http_server):
    pyruse = hooked(chains(http_server.url), "one")
    http_server.answer = Answer(status=503)
    pyruse.start()
    http_server.wait_for(1)
    pyruse.configure('[chains]\n"all" = [{ action = "discard" }]\n')
    pyruse.reload()
    pyruse.wait_for_line("a parcel waits for it, and it is at work nowhere")
    assert pyruse.ask("status")["outbox"]["waiting"]["action hook"] == 1
    http_server.answer = Answer()
    pyruse.configure(chains(f"{http_server.url}/mended"))
    pyruse.reload()
    assert http_server.wait_for(2)[1].path == "/mended"
    pyruse.wait_until(lambda: nothing_waits(pyruse))


def test_a_single_pass_delivers_all_of_it(hooked, http_server):
    pyruse = hooked(chains(http_server.url), *map(str, range(50)))
    http_server.answers = [Answer(delay=0.2)]
    done = pyruse.command("run", "--once")
    assert done.returncode == 0, done.stderr
    assert [request.json for request in http_server.requests] == [str(n) for n in range(50)]
    assert nothing_waits(pyruse)


def test_a_report_that_is_sent_again_is_delivered_by_the_same_way(hooked, http_server):
    toml = f'{chains(http_server.url)}[plugins.end_of_day]\nurl = "{http_server.url}/day"\n'
    pyruse = hooked(toml, "one")
    assert pyruse.command("run", "--once").returncode == 0
    [day] = [one.json for one in http_server.requests if one.path == "/day"]
    number = len(http_server.requests)
    done = pyruse.command("report", day, "--send")
    assert done.returncode == 0, done.stderr
    assert "sent: the parcel of extension end_of_day\n" in done.stderr
    assert [(one.path, one.json) for one in http_server.requests[number:]] == [("/day", day)]
    http_server.answer = Answer(break_off=True)
    done = pyruse.command("report", day, "--send")
    assert done.returncode == 1
    assert "pyruse: extension end_of_day: RemoteDisconnected: " in done.stderr
