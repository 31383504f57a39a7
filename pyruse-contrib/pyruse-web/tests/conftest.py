"""A page of a state that has something of everything, and those who look at it."""

from __future__ import annotations

import json
import os
import sys
from contextlib import ExitStack
from datetime import UTC
from pathlib import Path

import httpx
import pyruse_web
import pytest
from pyruse_web.access import Access
from pyruse_web.app import application
from pyruse_web.place import Place
from pyruse_web.server import Server
from pyruse_web.views import Views

from pyruse.testing import TIME_LIMIT, need

sys.path.append(str(Path(__file__).parent))

from chromium import Chromium, unavailable

TOKEN = "a-token-of-thirty-two-characters"

HOSTILE = (
    "<script>pwned = 1</script><img src=x onerror='pwned = 1'>"
    "<style>* { display: none }</style>\x1b[31mred\x07 \u202egnp.exe\u2066 \x00 "
    "</td></table> &amp; {{ 7 * 7 }} <a href='javascript:pwned = 1'>click</a>"
)

IN_TOML = json.dumps(HOSTILE)

CHAINS = f"""
[report]
timezone = "UTC"
[chains]
"ssh" = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" }},
  {{ filter = "regex", pattern = '^bad (?P<ip>\\S+)', name = "failed logins", else = "others" }},
  {{ action = "count", counter = "ssh", key = "ip", within = "10m", into = "failures" }},
  {{ action = "report", section = "important", message = "Ban of {{ip}}: {{MESSAGE}}" }},
  {{ action = "ban", ip = "ip", duration = "1h" }},
]
{IN_TOML} = [
  {{ filter = "exists", field = "x", invert = true, then = "others", name = {IN_TOML} }},
]
"others" = [
  {{ action = "report", section = "interesting", message = "seen: {{MESSAGE}}" }},
  {{ action = "report", section = "other", message = "{{MESSAGE}}" }},
]
"""


class Page:
    """A server, and a client that has logged in."""

    def __init__(self, observer, zone=UTC) -> None:
        views = Views(observer, zone)
        self.server = Server(Place("127.0.0.1", 0), application(views, Access(TOKEN, [])))
        self.url = f"http://127.0.0.1:{self.server.port}"
        self.client = httpx.Client(base_url=self.url, timeout=TIME_LIMIT)

    def log_in(self):
        answer = self.client.post("/login", data={"token": TOKEN})
        assert answer.status_code == 303
        return self

    def get(self, path):
        answer = self.client.get(path)
        assert answer.status_code == 200, answer.text
        return answer.text

    def close(self):
        self.client.close()
        self.server.close()


@pytest.fixture
def serve():
    """``serve(observer)``: a page of what the observer sees."""
    with ExitStack() as running:

        def make(observer):
            page = Page(observer)
            running.callback(page.close)
            return page

        yield make


@pytest.fixture
def chains(pipeline, tmp_path):
    chains = pipeline(CHAINS, state=tmp_path / "state.sqlite")
    for number in range(3):
        message = f"bad 203.0.113.{number} {HOSTILE}"
        chains.feed(SYSLOG_IDENTIFIER="sshd", MESSAGE=message, _HOSTNAME=f"host {HOSTILE}")
    chains.feed(SYSLOG_IDENTIFIER="cron", MESSAGE=HOSTILE)
    return chains


@pytest.fixture
def page(serve, chains):
    return serve(chains.observer).log_in()


@pytest.fixture(scope="session")
def _browser(tmp_path_factory):
    need(unavailable())
    with ExitStack() as running:
        browser = Chromium(tmp_path_factory.mktemp("browser"))
        running.callback(browser.close)
        yield browser


@pytest.fixture
def browser(_browser):
    """Chromium, with a tab that knows nothing of the tests before."""
    _browser.go("about:blank#")
    _browser.ask("Network.clearBrowserCookies")
    _browser.told.clear()
    return _browser


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The plugin is installed, as far as Pyruse can tell, be it from its folder only."""
    metadata = tmp_path / "site" / "pyruse_web-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Name: pyruse-web\nVersion: 1.0\n")
    (metadata / "entry_points.txt").write_text("[pyruse]\nweb = pyruse_web:Web\n")
    package = Path(pyruse_web.__file__).parents[1]
    path = [str(metadata.parent), str(package), os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    monkeypatch.syspath_prepend(metadata.parent)
