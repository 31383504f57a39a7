"""The metrics, read as Prometheus reads them; and the daemon that gives them."""

from __future__ import annotations

import json
import os
import re
import socket
import stat
import sys
import urllib.request
from contextlib import closing
from urllib.error import URLError

import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from pyruse_prometheus import Prometheus
from pyruse_prometheus.endpoint import Endpoint
from pyruse_prometheus.plugin import registry

from pyruse.testing import TIME_LIMIT, wait_until

CHAINS = """
[report]
timezone = "UTC"
[chains]
"ssh" = [
  { filter = "regex", pattern = '^bad (?P<ip>\\S+)', else = "mail" },
  { action = "count", counter = "ssh", key = "ip", within = "10m" },
  { action = "count", counter = "hosts", key = "ip", within = "10m" },
  { action = "ban", ip = "ip", duration = "1h", label = "ssh" },
]
"mail" = [ { action = "email", message = "{MESSAGE}" } ]
"""


class StatusOf:
    """An observer whose status is changed by the test; everything else is as it is."""

    def __init__(self, observer, **changes) -> None:
        self._status = {**observer.status(), **changes}
        self.counters = observer.counters

    def status(self):
        return self._status


def scraped(observer):
    """The samples as Prometheus takes them, each of them once: {(name, labels): value}."""
    text = generate_latest(registry(observer)).decode()
    families = list(text_string_to_metric_families(text))
    assert_well_made(families)
    samples = [sample for family in families for sample in family.samples]
    found = {(one.name, tuple(sorted(one.labels.items()))): one.value for one in samples}
    assert len(found) == len(samples)
    return found


def assert_well_made(families):
    """What `promtool check metrics` looks at."""
    names = [family.name for family in families]
    assert len(set(names)) == len(names)
    for family in families:
        if family.name.startswith("process_"):
            continue  # the library's own
        assert re.fullmatch(r"pyruse(_[a-z]+)+", family.name)
        assert family.documentation.endswith(".")
        assert family.type in ("gauge", "counter")
        for sample in family.samples:
            assert sample.name.endswith("_total") == (family.type == "counter"), sample.name
        for unit in ("milliseconds", "microseconds", "minutes", "hours", "kilobytes", "percent"):
            assert unit not in family.name
        if "timestamp" in family.name:
            assert family.name.endswith("_timestamp_seconds")


def test_what_goes_on_is_told_in_numbers(pipeline, tmp_path):
    chains = pipeline(CHAINS, state=tmp_path / "state.sqlite")
    for number in (1, 2, 2):
        chains.feed(MESSAGE=f"bad 203.0.113.{number}")
    chains.feed(MESSAGE="hello")
    found = scraped(chains.observer)
    assert found["pyruse_counter_keys", (("counter", "ssh"),)] == 2
    assert found["pyruse_counter_keys", (("counter", "hosts"),)] == 2
    assert found["pyruse_bans_unenforced", ()] == 2, "no firewall has taken them: not in force"
    assert not [key for key in found if key[0] == "pyruse_bans"]
    assert found["pyruse_outbox_waiting_items", (("kind", "mail"),)] == 1
    assert found["pyruse_outbox_waiting_items", (("kind", "log"),)] == 0
    assert found["pyruse_outbox_set_aside_items", (("kind", "mail"),)] == 0
    assert found["pyruse_state_readable", ()] == 1
    [(_, labels)] = [key for key in found if key[0] == "pyruse_build_info"]
    assert dict(labels).keys() == {"version"}
    assert found["process_resident_memory_bytes", ()] > 1e7
    assert not any("203.0.113" in str(key) for key in found), "addresses are no labels"


def test_bans_in_force_are_told_by_label(pipeline, tmp_path):
    observer = pipeline(CHAINS, state=tmp_path / "state.sqlite").observer
    bans = {"in_force": 2, "by_label": {'a "label" \x1b[31m': 2}, "unenforced": 0}
    found = scraped(StatusOf(observer, bans=bans))
    assert found["pyruse_bans", (("label", 'a "label" \\x1b[31m'),)] == 2
    assert found["pyruse_bans_unenforced", ()] == 0


def test_what_the_daemon_counts_is_told_by_chain_and_step(pipeline, tmp_path):
    def step(index, kind, plugin, seen, passed):
        return {
            "index": index, "kind": kind, "plugin": plugin, "label": None, "invert": False,
            "seen": seen, "passed": passed, "faults": 0,
        }  # fmt: skip

    daemon = {
        "entries": 12,
        "held_up_by": "",
        "chains": [
            {
                "chain": "ssh",
                "entries": 10,
                "steps": [step(0, "filter", "regex", 10, 3), step(1, "action", "ban", 3, 3)],
            }
        ],
    }
    observer = pipeline(CHAINS, state=tmp_path / "state.sqlite").observer
    found = scraped(StatusOf(observer, daemon=daemon))
    assert found["pyruse_entries_total", ()] == 12
    assert found["pyruse_held_up", ()] == 0
    assert found["pyruse_chain_entries_total", (("chain", "ssh"),)] == 10
    assert found["pyruse_chain_matches_total", (("chain", "ssh"),)] == 3
    place = (("chain", "ssh"), ("plugin", "regex"), ("step", "0"))
    assert found["pyruse_step_entries_total", place] == 10
    assert found["pyruse_step_passes_total", place] == 3
    assert found["pyruse_step_faults_total", place] == 0
    off = scraped(StatusOf(observer, daemon={**daemon, "chains": None}))
    assert not any("chain" in name for name, _ in off)


def test_the_lag_is_in_seconds(pipeline, tmp_path):
    observer = pipeline(CHAINS, state=tmp_path / "state.sqlite").observer
    journal = {
        "behind": 7,
        "lag_us": 1_500_000,
        "last_handled": 1_750_000_000_000_000,
        "last_logged": 1_750_000_001_500_000,
        "fault": None,
    }
    found = scraped(StatusOf(observer, journal=journal))
    assert found["pyruse_journal_lag_seconds", ()] == 1.5
    assert found["pyruse_journal_behind_entries", ()] == 7
    assert found["pyruse_journal_last_handled_timestamp_seconds", ()] == 1.75e9
    unknown = dict.fromkeys(journal, None)
    found = scraped(StatusOf(observer, journal={**unknown, "fault": "it is gone"}))
    assert found["pyruse_journal_readable", ()] == 0
    assert ("pyruse_journal_lag_seconds", ()) not in found


def test_of_two_days_of_faults_the_newer_one_counts(pipeline, tmp_path):
    def fault(day, place, kind, count):
        return {"day": day, "place": place, "text": kind, "first": 1, "last": 2, "count": count}

    faults = [
        fault("2026-03-13", "mail", "away", 5),
        fault("2026-03-13", "bans", "refused", 1),
        fault("2026-03-14", "mail", "away", 2),
        fault("2026-03-14", "mail", "full", 3),
    ]
    observer = pipeline(CHAINS, state=tmp_path / "state.sqlite").observer
    found = scraped(StatusOf(observer, faults=faults))
    assert found["pyruse_faults_total", (("place", "mail"),)] == 5
    assert found["pyruse_faults_total", (("place", "bans"),)] == 0


def test_the_values_of_a_label_are_bounded(pipeline, tmp_path):
    observer = pipeline(CHAINS, state=tmp_path / "state.sqlite").observer
    labels = {f"label {number}": number for number in range(1000)}
    labels |= {"line\nbreak": 5000, "line break": 6000, "x" * 5000: 7000}
    bans = {"in_force": 0, "by_label": labels, "unenforced": 0}
    found = scraped(StatusOf(observer, bans=bans))
    values = {key[1][0][1]: value for key, value in found.items() if key[0] == "pyruse_bans"}
    assert len(values) == 100
    assert sum(values.values()) == sum(labels.values())
    assert values["line break"] == 11_000, "what looks the same is one series"
    assert values["(others)"] == sum(range(1000 - 97))
    assert max(map(len, values)) < 150


def test_a_state_that_cannot_be_read_costs_no_scrape(pipeline, tmp_path):
    observer = pipeline(CHAINS, state=tmp_path / "state.sqlite").observer
    (tmp_path / "state.sqlite").unlink()
    found = scraped(observer)
    assert found["pyruse_state_readable", ()] == 0
    assert ("pyruse_bans_unenforced", ()) not in found
    assert ("process_resident_memory_bytes", ()) in found


def get(port, path="/metrics"):
    with urllib.request.urlopen(f"http://127.0.0.1:{port}{path}", timeout=TIME_LIMIT) as answer:
        return answer.headers, answer.read().decode()


@pytest.fixture
def metrics(pipeline, tmp_path):
    return registry(pipeline(CHAINS, state=tmp_path / "state.sqlite").observer)


def test_the_endpoint_answers_as_prometheus_expects(metrics):
    endpoint = Endpoint("127.0.0.1", 0, metrics)
    with closing(endpoint):
        headers, text = get(endpoint.port)
    assert headers["Content-Type"].startswith("text/plain; version=")
    assert "\npyruse_state_readable 1.0\n" in text
    with pytest.raises(URLError, match="refused"):
        get(endpoint.port)


def test_ipv6_is_listened_to(metrics):
    with closing(Endpoint("::1", 0, metrics)) as endpoint:
        url = f"http://[::1]:{endpoint.port}/metrics"
        with urllib.request.urlopen(url, timeout=TIME_LIMIT) as answer:
            assert answer.status == 200


def test_a_busy_port_is_one_clear_line_and_free_again_after_a_stop(metrics):
    with closing(Endpoint("127.0.0.1", 0, metrics)) as endpoint:
        port = endpoint.port
        get(port)
        with pytest.raises(ValueError, match=rf"127\.0\.0\.1:{port} cannot be listened to") as busy:
            Endpoint("127.0.0.1", port, metrics)
        assert "Address already in use (expected" in str(busy.value)
    with closing(Endpoint("127.0.0.1", port, metrics)):
        get(port)


def test_who_connects_and_says_nothing_takes_no_descriptors(metrics):
    with closing(Endpoint("127.0.0.1", 0, metrics)) as endpoint:
        get(endpoint.port)  # SQLite keeps a descriptor of the state from the first look at it on
        before = len(os.listdir("/proc/self/fd"))
        silent = [socket.create_connection(("127.0.0.1", endpoint.port)) for _ in range(20)]
        assert len(os.listdir("/proc/self/fd")) - before <= len(silent) + 1
        for one in silent:
            one.close()
        get(endpoint.port)
        wait_until(lambda: len(os.listdir("/proc/self/fd")) <= before)


@pytest.fixture
def port():
    """A port that nobody else is given meanwhile."""
    with socket.socket() as one:
        one.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        one.bind(("127.0.0.1", 0))
        yield one.getsockname()[1]


def test_a_dry_run_listens_to_nothing_and_writes_nothing(pipeline, tmp_path, installed, port):
    options = f'[plugins.prometheus]\nport = {port}\ntextfile = "{tmp_path}/pyruse.prom"\n'
    chains = pipeline(options + CHAINS)
    chains.feed(MESSAGE="hello")
    assert chains.faults == []
    assert not (tmp_path / "pyruse.prom").exists()
    with pytest.raises(URLError, match="refused"):
        get(port)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"port": 70_000}, r"port = 70000 is no port \(expected"),
        ({"textfile": "x.txt"}, r'textfile = "x.txt" would not be read \(expected'),
    ],
)
def test_faulty_options(pipeline, installed, options, said):
    table = "".join(f"{name} = {json.dumps(value)}\n" for name, value in options.items())
    with pytest.raises(Exception, match=said):
        pipeline(f"[plugins.prometheus]\n{table}{CHAINS}")


# A whole daemon -------------------------------------------------------------------------------


@pytest.fixture
def installed(tmp_path, monkeypatch):
    """The plugin is installed, as far as Pyruse can tell, be it from its folder only."""
    metadata = tmp_path / "site" / "pyruse_prometheus-1.0.dist-info"
    metadata.mkdir(parents=True)
    (metadata / "METADATA").write_text("Name: pyruse-prometheus\nVersion: 1.0\n")
    entry = "[pyruse]\nprometheus = pyruse_prometheus:Prometheus\n"
    (metadata / "entry_points.txt").write_text(entry)
    package = os.path.dirname(os.path.dirname(sys.modules[Prometheus.__module__].__file__ or ""))
    path = [str(metadata.parent), package, os.environ.get("PYTHONPATH", "")]
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, path)))
    monkeypatch.syspath_prepend(metadata.parent)


CONFIG = """
[engine]
counters = true
[plugins.prometheus]
port = {port}
textfile = "{textfile}"
every = "1h"
[chains]
"test" = [
  {{ filter = "contains", text = "hello" }},
  {{ action = "report", section = "other", message = "{{MESSAGE}}" }},
]
"""


@pytest.fixture
def textfile(tmp_path):
    return tmp_path / "pyruse.prom"


@pytest.fixture
def started(daemon, textfile, journal_file, installed):
    """``started(port)``: a daemon with the plugin, which is at work."""

    def start(port):
        entries = [{"MESSAGE": message, "PRIORITY": "6"} for message in ("hello", "world")]
        toml = CONFIG.format(port=port, textfile=textfile)
        umask = ["sh", "-c", 'umask 027; exec "$@"', "sh"]
        return daemon(toml, journal_file(entries), prefix=umask).start()

    return start


def test_a_daemon_is_scraped_also_after_a_reload_until_it_stops(started, textfile, port):
    daemon = started(port)
    text = daemon.wait_until(
        lambda: get(port)[1], lambda metrics: "pyruse_entries_total 2.0" in metrics
    )
    assert "pyruse_journal_lag_seconds 0.0" in text
    assert 'pyruse_chain_entries_total{chain="test"} 2.0' in text
    assert 'pyruse_chain_matches_total{chain="test"} 1.0' in text
    assert "pyruse_build_info{version=" in textfile.read_text()
    assert stat.S_IMODE(textfile.stat().st_mode) == 0o644, "node_exporter may read it"

    written = textfile.stat().st_mtime_ns
    daemon.reload()
    assert "pyruse_entries_total 2.0" in get(port)[1]
    assert textfile.stat().st_mtime_ns != written
    assert "plugins.prometheus" not in daemon.log

    assert daemon.stop() == 0
    assert not textfile.exists(), "what is out of date misleads"


def test_with_a_busy_port_the_daemon_goes_on_and_the_file_is_written(started, textfile):
    with socket.socket() as busy:
        busy.bind(("127.0.0.1", 0))
        busy.listen()
        port = busy.getsockname()[1]
        daemon = started(port)
        assert (
            f"plugins.prometheus: on_start: http://127.0.0.1:{port} cannot be listened to: Address "
            "already in use (expected an address of this machine, and a port that nobody else uses)"
        ) in daemon.log
        assert "Traceback" not in daemon.log
        assert textfile.exists()
        assert daemon.stop() == 0
