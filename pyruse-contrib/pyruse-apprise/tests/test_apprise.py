"""Steps and the program, with a web service on loopback: what json:// of Apprise sends."""

from __future__ import annotations

import json
import subprocess
import sys
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from pyruse import Report
from pyruse.testing import ConfigError

SECRET = "hunter2"


class Service(HTTPServer):
    """Keeps what it is told, and answers with a code of its own."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answer = 200
        self.got: list[dict[str, str]] = []
        self.url = f"json://user:{SECRET}@127.0.0.1:{self.server_port}/{SECRET}"

    @property
    def told(self):
        return [(each["type"], each["title"], each["message"]) for each in self.got]


class Handler(BaseHTTPRequestHandler):
    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        assert self.path == f"/{SECRET}"
        self.server.got.append(json.loads(body))
        self.send_response(self.server.answer)
        self.end_headers()

    def log_message(self, *_) -> None:
        pass


@pytest.fixture
def service():
    with Service() as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.fixture
def services(tmp_path):
    """Writes the file of services, for its owner only."""
    file = tmp_path / "apprise.conf"

    def write(*lines: str) -> str:
        file.touch(0o600)
        file.write_text("\n".join(lines))
        return str(file)

    return write


def sent(command, text):
    """Run what would be run; gives its exit code and all that it says."""
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert SECRET not in done.stdout + done.stderr
    return done.returncode, done.stdout + done.stderr


def program(config, *arguments):
    return [sys.executable, "-m", "pyruse_apprise", f"--config={config}", *arguments]


def chain(config, options=""):
    step = f'action = "notify", config = "{config}", message = "{{MESSAGE}}"{options}'
    return f'[chains]\n"all" = [{{ {step} }}]\n'


def test_a_step_notifies_by_a_program_that_gets_the_text_on_its_standard_input(
    pipeline, service, services
):
    chains = pipeline(chain(services(service.url), ', title = "{_HOSTNAME}", type = "failure"'))
    chains.feed(MESSAGE="disk full\n'; reboot", _HOSTNAME="aubergine")
    [program] = chains.programs
    assert service.told == []  # a dry run: recorded, and not run
    assert chains.commands == [program.command]
    assert "disk full" not in str(program.command)
    assert SECRET not in str(program)
    assert sent(program.command, program.texts[0]) == (0, "")
    assert service.told == [("failure", "aubergine", "disk full\n'; reboot")]


def test_what_comes_within_every_is_gathered(pipeline, clock, services):
    chains = pipeline(chain(services("json://127.0.0.1"), ', every = "10m"'))
    for text in ("first", "second", "third"):
        chains.feed(MESSAGE=text)
        clock.advance("1m")
    assert [(one.texts, one.count) for one in chains.programs] == [
        (["first"], 1),
        (["second", "third"], 2),
    ]


def test_bans_of_a_label_are_told_gathered(pipeline, clock, services):
    chains = pipeline(f"""
        [plugins.apprise_bans]
        config = "{services("json://127.0.0.1")}"
        labels = ["ssh"]
        [chains]
        ssh = [{{ action = "ban", ip = "ip", duration = "1h" }}]
        web = [{{ action = "ban", ip = "ip", duration = "2h" }}]
    """)
    for last in (7, 8, 9):
        chains.feed(ip=f"203.0.113.{last}")
    assert [(one.texts, one.count) for one in chains.programs] == [
        (["203.0.113.7 is banned until 2026-03-14 13:00:00 (ssh)"], 1),
        (
            [
                "203.0.113.8 is banned until 2026-03-14 13:00:00 (ssh)",
                "203.0.113.9 is banned until 2026-03-14 13:00:00 (ssh)",
            ],
            2,
        ),
    ]


def test_a_tag_chooses_services(pipeline, service, services):
    config = services(f"ops={service.url}", "other=json://127.0.0.1:1")
    chains = pipeline(chain(config, ', tag = "ops"'))
    chains.feed(MESSAGE="hello")
    [program] = chains.programs
    assert sent(program.command, "hello") == (0, "")
    assert len(service.told) == 1


def test_a_hostile_title_is_an_argument_and_nothing_else(pipeline, service, services):
    chains = pipeline(chain(services(service.url), ', title = "{_HOSTNAME}"'))
    chains.feed(MESSAGE="x", _HOSTNAME="--config=/etc/shadow\0\n" + "y" * 500)
    [program] = chains.programs
    assert sent(program.command, "x") == (0, "")
    [(_, title, _)] = service.told
    assert title.startswith(r"--config=/etc/shadow\x00 yyy")
    assert len(title) < 250


def test_the_daemon_sends_and_tells_what_was_not_taken(daemon, journal_file, service, services):
    journal = journal_file([{"MESSAGE": "disk full"}])
    service.answer = 403
    toml = chain(services(f"{service.url}?retry=0"))
    done = daemon(toml, journal).command("run", "--once")
    assert done.returncode == 0, done.stderr
    assert [text for _, _, text in service.told] == ["disk full"]
    assert SECRET not in done.stdout + done.stderr


def test_the_program_names_the_services_that_took_nothing(service, services):
    service.answer = 401
    config = services(f"{service.url}?retry=1&wait=0", "json://127.0.0.1:1/?retry=0")
    code, said = sent(program(config), "hello")
    assert (code, said) == (1, "not taken by JSON (HTTP 401), JSON (no answer, or no delivery)\n")
    assert len(service.told) == 2  # the first try, and another one


def test_the_program_reads_yaml_too(service, services, tmp_path):
    config = tmp_path / "apprise.yml"
    config.touch(0o600)
    config.write_text(f"version: 1\nurls:\n  - {service.url}:\n      tag: ops\n")
    assert sent(program(config, "--tag=ops"), "hello") == (0, "")
    assert len(service.told) == 1


@pytest.mark.parametrize(
    ("lines", "arguments", "said"),
    [
        (["# ours", f"tgram://{SECRET}", "json://127.0.0.1"], [], "line 2 of "),
        (["x=json://127.0.0.1"], ["--tag=y"], 'has no service for the tag "y" (expected one, or '),
        ([""], [], "something in "),
    ],
)
def test_the_program_says_what_is_wrong_with_the_file(services, lines, arguments, said):
    code, text = sent(program(services(*lines), "--check", *arguments), "")
    assert code == 1
    assert said in text


def test_check_finds_a_service_that_apprise_does_not_understand(pipeline, services):
    config = services("# mine", f"tgram://{SECRET}")
    with pytest.raises(ConfigError) as caught:
        pipeline(chain(config))
    [fault] = caught.value.faults
    assert 'chains."all"[0]: line 2 of ' in fault
    assert SECRET not in fault


def test_the_daemon_does_not_load_apprise(services):
    code = """if True:
        import sys
        from pyruse_apprise.plugin import AppriseReport, Notify, ServicesFile
        Notify.check_options
        sys.exit("apprise" in sys.modules)
    """
    subprocess.run([sys.executable, "-c", code], check=True)


def test_urls_that_everybody_may_read_are_not_used(service, services):
    config = services(service.url)
    Path(config).chmod(0o644)
    code, said = sent(program(config), "hello")
    assert code == 1
    assert said.startswith(f"{config} is open to every user of this machine (expected")
    assert service.told == []


def test_a_file_that_who_asks_cannot_read_does_not_keep_pyruse_from_starting(pipeline):
    chains = pipeline(chain("/nowhere/apprise.conf"))
    chains.feed(MESSAGE="hello")
    code, said = sent(chains.programs[0].command, "hello")
    assert code == 1
    assert said.startswith("/nowhere/apprise.conf cannot be read: No such file or directory (exp")


def test_a_url_in_the_place_of_its_file_is_refused_and_not_shown(pipeline):
    with pytest.raises(ConfigError) as caught:
        pipeline(chain(f"tgram://{SECRET}"))
    [said] = caught.value.faults
    assert 'chains."all"[0].config: that is no path from / on (expected the path of a file' in said
    assert SECRET not in said


def report_plugin(pipeline, config, options=""):
    return pipeline(
        f"""
        [plugins.apprise_report]
        config = "{config}"
        {options}
        [chains]
        "all" = [{{ action = "report", section = "important", message = "{{MESSAGE}}" }}]
        """
    )


def test_the_report_of_a_day_is_sent_with_the_important_events_first(pipeline, service, services):
    chains = report_plugin(pipeline, services(service.url), "limit = 600")
    chains.feed(MESSAGE="disk full", _HOSTNAME="aubergine")
    for number in range(100):
        chains.feed(MESSAGE=f"event {number}")
    chains.end_day()
    [program] = chains.programs
    assert sent(program.command, program.texts[0]) == (0, "")
    [(kind, title, text)] = service.told
    assert (kind, title) == ("warning", "Pyruse on aubergine: 2026-03-14")
    assert "Saturday 2026-03-14: " in text.splitlines()[0]
    assert text.endswith("more characters)")


def test_a_day_without_anything_important_may_be_left_out(pipeline, services):
    chains = report_plugin(pipeline, services("json://127.0.0.1"), 'when = "important"')
    chains.end_day()
    assert chains.programs == []
    chains.feed(MESSAGE="disk full")
    chains.end_day()
    assert len(chains.programs) == 1


def test_installed_it_sends_nothing_until_it_is_told_where_to(pipeline):
    chains = pipeline('[chains]\n"all" = [{ action = "discard" }]')
    chains.feed(MESSAGE="x")
    assert isinstance(chains.end_day(), Report)
    assert chains.programs == []


def test_a_limit_that_sends_nothing_is_refused(pipeline, services):
    with pytest.raises(ConfigError, match=r"plugins\.apprise_report: limit = 0 would send nothing"):
        report_plugin(pipeline, services("json://127.0.0.1"), "limit = 0")
