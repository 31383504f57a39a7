"""The plugin in a whole daemon: from the start, over a reload, to the end."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time
from contextlib import closing

import httpx
import pytest
from conftest import TOKEN


class Daemon:
    """A `pyruse run` on a journal of its own."""

    def __init__(self, folder, journal, options) -> None:
        self._log = folder / "log"
        (folder / "token").write_text(TOKEN)
        (folder / "token").chmod(0o600)
        (folder / "pyruse.toml").write_text(
            f"""
            [journal]
            files = ["{journal}"]
            start = "head"
            [state]
            url = "sqlite://{folder}/state.sqlite"
            [report]
            timezone = "UTC"
            [email]
            to = ["root"]
            sendmail = ["/bin/true"]
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
        )
        with self._log.open("wb") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "pyruse", "run", "-c", str(folder / "pyruse.toml")],
                stderr=log,
            )

    def log(self, until=""):
        """What it has logged, as soon as this is a part of it."""
        return self.wait_for(self._log.read_text, lambda text: until in text)

    def get(self, client, path, until=""):
        """The page, as soon as this is a part of it."""

        def look():
            try:
                return client.get(path).text
            except httpx.ConnectError:
                return None

        return self.wait_for(look, lambda text: text is not None and until in text)

    def wait_for(self, look, enough=bool):
        """What there is, as soon as it is enough."""
        deadline = time.monotonic() + 30
        while not enough(found := look()):
            assert self.process.poll() is None, self._log.read_text()
            assert time.monotonic() < deadline, found
            time.sleep(0.02)
        return found

    def stop(self):
        if self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(20)


@pytest.fixture
def started(tmp_path, journal_file, installed):
    running = []

    def start(options):
        entries = [
            {"MESSAGE": message, "PRIORITY": "6", "__REALTIME_TIMESTAMP": time.time_ns() // 1000}
            for message in ("hello <b>there</b>", "world")
        ]
        running.append(Daemon(tmp_path, journal_file(entries), options))
        return running[-1]

    yield start
    for daemon in running:
        daemon.stop()


def free_port():
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def test_a_daemon_shows_itself_also_after_a_reload_until_it_stops(started, tmp_path):
    port = free_port()
    daemon = started(f'token_file = "{tmp_path}/token"\nlisten = "127.0.0.1:{port}"')
    with httpx.Client(base_url=f"http://127.0.0.1:{port}") as client:
        daemon.get(client, "/login", "Log in")
        client.post("/login", data={"token": TOKEN})
        daemon.get(client, "/", "hello &lt;b&gt;there&lt;/b&gt;")
        health = daemon.get(client, "/health")
        assert f"process {daemon.process.pid}" in health
        assert "up to date; last entry handled: " in health
        assert '<td class="number">2</td><td class="number">1</td>' in daemon.get(client, "/chains")

        daemon.process.send_signal(signal.SIGHUP)
        daemon.log("the configuration was read again")
        assert "hello &lt;b&gt;" in daemon.get(client, "/"), "and nobody has to log in again"
    assert "plugins.web" not in daemon.log()
    assert daemon.stop() == 0


def test_a_socket_is_there_while_the_daemon_runs(started, tmp_path):
    path = tmp_path / "web.sock"
    daemon = started(f'token_file = "{tmp_path}/token"\nlisten = "{path}"')
    daemon.wait_for(path.exists)
    transport = httpx.HTTPTransport(uds=str(path))
    with httpx.Client(base_url="http://localhost", transport=transport) as client:
        daemon.get(client, "/login", "Log in")
    assert daemon.stop() == 0
    assert not path.exists()


def test_with_a_busy_port_the_daemon_goes_on_without_the_page(started, tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        daemon = started(f'token_file = "{tmp_path}/token"\nlisten = "127.0.0.1:{port}"')
        said = daemon.log("plugins.web")
    assert (
        f"plugins.web: on_start: http://127.0.0.1:{port} cannot be listened to: Address already in "
        "use (expected a port that nobody else uses)"
    ) in said
    assert "Traceback" not in said
    assert daemon.stop() == 0


def test_without_options_there_is_one_line_and_no_page(started):
    daemon = started("")
    said = daemon.log("plugins.web")
    assert "plugins.web: on_start: there is no page without a token (expected token_file)" in said
    assert daemon.stop() == 0


def test_a_dry_run_listens_to_nothing(pipeline, installed, tmp_path):
    (tmp_path / "token").write_text(TOKEN)
    (tmp_path / "token").chmod(0o600)
    port = free_port()
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
