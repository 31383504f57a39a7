"""The plugin in a whole daemon: from the start, over a reload, to the end."""

from __future__ import annotations

import socket
import time
from contextlib import closing

import httpx
import pytest
from conftest import TOKEN

from pyruse.testing import zone_where_it_is_noon

CONFIG = """
[report]
timezone = "{zone}"
[engine]
counters = true
[plugins.web]
{options}
[chains]
"test" = [
  {{ filter = "contains", text = "hello" }},
  {{ action = "report", section = "important", message = "{{MESSAGE}}" }},
]
"""


@pytest.fixture
def started(daemon, tmp_path, journal_file, installed):
    """``started(options)``: a daemon with the plugin, which is at work."""

    def start(options):
        (tmp_path / "token").write_text(TOKEN)
        (tmp_path / "token").chmod(0o600)
        entries = [
            {"MESSAGE": message, "PRIORITY": "6", "__REALTIME_TIMESTAMP": time.time_ns() // 1000}
            for message in ("hello <b>there</b>", "world")
        ]
        return daemon(
            CONFIG.format(options=options, zone=zone_where_it_is_noon()), journal_file(entries)
        ).start()

    return start


@pytest.fixture
def port():
    """A port that nobody else is given meanwhile."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


def test_a_daemon_shows_itself_also_after_a_reload_until_it_stops(started, tmp_path, port):
    daemon = started(f'token_file = "{tmp_path}/token"\nlisten = "127.0.0.1:{port}"')
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        client.post("/login", data={"token": TOKEN})
        daemon.wait_until(
            lambda: client.get("/").text, lambda page: "hello &lt;b&gt;there&lt;/b&gt;" in page
        )
        health = client.get("/health").text
        assert f"process {daemon.process.pid}" in health
        assert "up to date; last entry handled: " in health
        assert '<td class="number">2</td><td class="number">1</td>' in client.get("/chains").text

        daemon.reload()
        assert "hello &lt;b&gt;" in client.get("/").text, "and nobody has to log in again"
    assert "plugins.web" not in daemon.log
    assert daemon.stop() == 0


def test_a_socket_is_there_while_the_daemon_runs(started, tmp_path):
    path = tmp_path / "web.sock"
    daemon = started(f'token_file = "{tmp_path}/token"\nlisten = "{path}"')
    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(base_url="http://localhost", transport=transport) as client:
        assert "Log in" in client.get("/login").text
    assert daemon.stop() == 0
    assert not path.exists()


def test_with_a_busy_port_the_daemon_goes_on_without_the_page(started, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        daemon = started(f'token_file = "{tmp_path}/token"\nlisten = "127.0.0.1:{port}"')
    assert (
        f"plugins.web: on_start: http://127.0.0.1:{port} cannot be listened to: Address already in "
        "use (expected a port that nobody else uses)"
    ) in daemon.log
    assert "Traceback" not in daemon.log
    assert daemon.stop() == 0


def test_without_options_there_is_one_line_and_no_page(started):
    daemon = started("")
    fault = "plugins.web: on_start: there is no page without a token (expected token_file)"
    assert fault in daemon.log
    assert daemon.stop() == 0


def test_with_a_token_that_everybody_may_read_the_daemon_goes_on_without_the_page(
    started, tmp_path
):
    file = tmp_path / "open"
    file.write_text(TOKEN)
    file.chmod(0o644)
    daemon = started(f'token_file = "{file}"')
    fault = f"{file} is open to every user of this machine (expected"
    assert f"plugins.web: on_start: there is no page without a token: {fault}" in daemon.log
    assert f"plugins.web.token_file: {fault}" in daemon.log
    assert TOKEN not in daemon.log
    assert daemon.stop() == 0


def test_a_dry_run_listens_to_nothing(pipeline, installed, tmp_path, port):
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    chains = pipeline(
        f"""
        [plugins.web]
        token_file = "{tmp_path}/token"
        listen = "127.0.0.1:{port}"
        [chains]
        "all" = [{{ action = "discard" }}]
        """
    )
    chains.feed(MESSAGE="hello")
    assert chains.faults == []
    with closing(socket.socket()) as client, pytest.raises(ConnectionRefusedError):
        client.connect(("127.0.0.1", port))


def test_a_place_that_is_none_is_an_error_of_the_configuration(pipeline, installed):
    with pytest.raises(Exception, match=r'plugins\.web\.listen: "0\.0\.0\.0:80" is no place for'):
        pipeline('[plugins.web]\nlisten = "0.0.0.0:80"\n[chains]\n"a" = [{ action = "discard" }]')
