"""Chains, with a server on loopback that speaks as the services document it.

The offenders' addresses are of networks that nobody has in use: those for documentation are not of
the Internet, and are never reported.
"""

from __future__ import annotations

import json
import subprocess
from base64 import b64decode
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs

import pytest
import xarf
from pyruse_abuse.options import KeyFile
from pyruse_abuse.web import ABUSEIPDB, BLOCKLIST_DE, AwayError, send

from pyruse import Refused
from pyruse.testing import Answer, ConfigError

KEY = "c3k69z846qn30q4r6eo3gsg3urqanuoypyluil350m7iyyw55mx6hd22"
OFFENDER = "25.0.0.7"
ENABLED = "[plugins.abuse]\nenabled = true\n"
REPORTER = 'reporter = { org = "Us", contact = "abuse@example.org", domain = "example.org" }'
XARF = f'action = "xarf_mail", to = ["abuse@example.net"], type = "login_attack", {REPORTER}'


@pytest.fixture
def server(http_server):
    """Answers as AbuseIPDB does, where a test says nothing else."""
    http_server.answer = Answer(body='{"data": {}}')
    return http_server


@pytest.fixture
def key_file(tmp_path):
    file = tmp_path / "key"
    file.touch(0o600)
    file.write_text(f"{KEY}\n")
    return file


@pytest.fixture
def abuseipdb(key_file):
    """A step, with options of the test's."""

    def step(options=""):
        return f'action = "abuseipdb", categories = [18, 22], key_file = "{key_file}"{options}'

    return step


def config(step, sections=ENABLED):
    return f'{sections}\n[chains]\n"all" = [{{ {step} }}]\n'


def reports(chains):
    return [payload for parcel in chains.sent for payload in parcel.payloads]


def forms(server):
    """What the server got."""
    return [
        {name: values[0] for name, values in parse_qs(one.text, strict_parsing=True).items()}
        for one in server.requests
    ]


def outcomes(chains):
    tables = {table.title: table.rows for table in chains.report.summaries}
    return tables.get("Reports to others")


@pytest.fixture
def now(clock):
    """The time of the entries is that of the machine: else, all reports would be late."""
    clock.now = datetime.now(UTC).replace(microsecond=0)
    return clock.now


# What is sent.


def test_a_report_to_abuseipdb(pipeline, server, abuseipdb, now):
    options = f', url = "{server.url}/api/v2/report", comment = "{{n}} wrong passwords"'
    chains = pipeline(config(abuseipdb(options)))
    chains.feed(ip=OFFENDER, n=5)
    assert server.requests == []  # a dry run: recorded, and not sent
    assert KEY not in str(reports(chains))
    assert chains.deliver() == ["sent"]
    [request] = server.requests
    assert (request.method, request.path) == ("POST", "/api/v2/report")
    assert (request.headers["Key"], request.headers["Accept"]) == (KEY, "application/json")
    [form] = forms(server)
    assert form == {
        "ip": OFFENDER,
        "categories": "18,22",
        "timestamp": now.isoformat(),
        "comment": "5 wrong passwords",
    }


def test_a_report_to_blocklist_de(pipeline, server, key_file, now):
    server.answer = Answer(body='{"status": "success", "error": 0}')
    step = (
        f'action = "blocklist_de", service = "ssh", server = "srv@example.org", '
        f'key_file = "{key_file}", url = "{server.url}"'
    )
    chains = pipeline('[report]\ntimezone = "UTC"\n' + config(step))
    chains.feed(ip=OFFENDER, MESSAGE=f"Failed password from {OFFENDER} port 4711")
    assert chains.deliver() == ["sent"]
    [form] = forms(server)
    assert form == {
        "server": "srv@example.org",
        "apikey": KEY,
        "service": "ssh",
        "ip": OFFENDER,
        "logs": f"{now:%FT%T}+0000 Failed password from {OFFENDER} port 4711",
        "format": "json",
    }


def test_a_report_by_mail_is_valid_x_arf(pipeline):
    chains = pipeline('[report]\ntimezone = "UTC"\n' + config(f"{XARF}, port = 22"))
    chains.feed(ip=OFFENDER, port="4711", user="bob", MESSAGE="Failed password for bob")
    [mail] = chains.emails
    assert mail.to == ["abuse@example.net"]
    assert mail.subject == f"Abuse report about {OFFENDER}: login attack"
    [(name, kind, text)] = mail.attachments
    assert (name, kind) == ("xarf.json", "application/json")
    assert xarf.parse(text).errors == []
    report = json.loads(text)
    assert report["source_identifier"] == OFFENDER
    assert (report["source_port"], report["destination_port"]) == (4711, 22)
    assert report["timestamp"] == "2026-03-14T12:00:00.000Z"
    [evidence] = report["evidence"]
    line = "2026-03-14T12:00:00+0000 Failed password for […]"
    assert b64decode(evidence["payload"]).decode() == line
    assert line in mail.body


@pytest.mark.parametrize("port", ["", "0", "65536", "x", "²", "9" * 5000])
def test_a_port_that_is_none_is_left_out(pipeline, port):
    chains = pipeline(config(XARF))
    chains.feed(ip=OFFENDER, port=port)
    [mail] = chains.emails
    assert "source_port" not in json.loads(mail.attachments[0].text)
    assert chains.faults == []


# Who is reported, and how often.


def test_installed_and_in_a_chain_it_reports_nobody_before_it_is_switched_on(pipeline, abuseipdb):
    for sections in ("", "[plugins.abuse]\n", ENABLED + '[plugins]\ndisable = ["abuse"]\n'):
        chains = pipeline(config(abuseipdb(), sections))
        chains.feed(ip=OFFENDER)
        assert reports(chains) == []


def test_the_report_tells_how_many_were_reported(pipeline, abuseipdb):
    chains = pipeline(config(abuseipdb(", daily = 2")))
    for last in (7, 7, 8, 9):
        chains.feed(ip=f"25.0.0.{last}")
    assert outcomes(chains) == [
        ["AbuseIPDB", "Over the daily limit", "1"],
        ["AbuseIPDB", "Reported", "2"],
    ]
    chains = pipeline(config(abuseipdb(), ""))
    chains.feed(ip=OFFENDER)
    assert outcomes(chains) == [["AbuseIPDB", "Not switched on", "1"]]


@pytest.mark.parametrize(
    "address",
    [
        "10.0.0.1", "192.168.1.2", "172.16.3.4", "100.64.0.1", "127.0.0.1", "169.254.0.1",
        "224.0.0.1", "0.0.0.0", "255.255.255.255", "192.0.2.1", "::1", "fe80::1", "fd00::1",
        "ff02::1", "2001:db8::1", "::ffff:10.0.0.1", "25.1.0.1", "example.org", "",
    ],
)  # fmt: skip
def test_no_address_that_is_private_or_spared_is_reported(pipeline, abuseipdb, address):
    chains = pipeline(config(abuseipdb(), ENABLED + '[bans]\nnever = ["25.1.0.0/16"]\n'))
    chains.feed(ip=address)
    assert reports(chains) == []
    assert outcomes(chains) in (None, [])


def test_an_address_is_reported_again_after_15_minutes(pipeline, clock, abuseipdb):
    chains = pipeline(config(abuseipdb()))
    for _ in range(4):
        chains.feed(ip=OFFENDER)
        clock.advance("5m")
    assert [one["timestamp"][11:16] for one in reports(chains)] == ["12:00", "12:15"]


def test_steps_of_one_service_know_of_each_other(pipeline, abuseipdb):
    step = abuseipdb()
    chains = pipeline(f'{ENABLED}[chains]\n"a" = [{{ {step} }}, {{ {step} }}]\n')
    chains.feed(ip=OFFENDER)
    assert len(reports(chains)) == 1


def test_an_ipv6_host_cannot_be_reported_under_all_its_addresses(pipeline, abuseipdb):
    chains = pipeline(config(abuseipdb()))
    for address in ("2a00::1", "2a00::2", "2a00:0:0:1::1"):
        chains.feed(ip=address)
    assert [one["ip"] for one in reports(chains)] == ["2a00::1", "2a00:0:0:1::1"]


def test_the_daily_limit_begins_anew_at_midnight_utc(pipeline, clock, abuseipdb):
    chains = pipeline(config(abuseipdb(", daily = 2")))
    for last in range(4):
        chains.feed(ip=f"25.0.0.{last}")
    clock.advance("12h")
    chains.feed(ip="25.0.0.9")
    assert [one["ip"] for one in reports(chains)] == ["25.0.0.0", "25.0.0.1", "25.0.0.9"]


def test_what_the_daemon_reads_late_is_not_reported(daemon, journal_file, server, abuseipdb):
    day = 86_400_000_000
    now = int(subprocess.check_output(["date", "+%s"])) * 1_000_000
    journal = journal_file([
        {"MESSAGE": address, "__REALTIME_TIMESTAMP": str(now - age)}
        for address, age in ((OFFENDER, 2 * day), ("25.0.0.8", day // 2))
    ])  # fmt: skip
    toml = config(abuseipdb(f', ip = "MESSAGE", url = "{server.url}"'))
    done = daemon(toml, journal).command("run", "--once")
    assert done.returncode == 0, done.stderr
    assert [form["ip"] for form in forms(server)] == ["25.0.0.8"]


def test_what_has_waited_for_more_than_a_day_does_not_leave(
    pipeline, clock, server, abuseipdb, now
):
    clock.now -= timedelta(hours=25)
    chains = pipeline(config(abuseipdb(f', url = "{server.url}"')))
    chains.feed(ip=OFFENDER)
    assert chains.deliver() == ["refused: action abuseipdb: more than a day late"]
    assert server.requests == []


# What may be told.


@pytest.mark.parametrize(
    ("line", "told"),
    [
        ("Failed password for bob from 25.0.0.7", "Failed password for […] from 25.0.0.7"),
        ("Invalid user BOB; bobby is another", "Invalid user […]; bobby is another"),
        ("aubergine.example.org sshd: no", "[…] sshd: no"),
        ("aubergine: www.example.org is ours", "[…]: www.[…] is ours"),
        ("for Acme GmbH & Co", "for […] & Co"),
        ("to <carol@example.net>, from x@y", "to <[…]>, from […]"),
        ("25.0.0.7 to 198.51.100.9: refused", "25.0.0.7 to […]: refused"),
        ("client=[2001:db8::5]:25, 203.0.113.4.", "client=[[…]]:25, […]."),
        ("::ffff:25.0.0.7 at 12:34:56", "::ffff:25.0.0.7 at 12:34:56"),
        ("cannot read /home/dave/.netrc", "cannot read /home/[…]/.netrc"),
        ("two\nlines \x1b[31min red\a", r"two lines in red\x07"),
    ],
)
def test_what_concerns_others_is_cut_out(pipeline, abuseipdb, line, told):
    hide = ENABLED + 'hide = ["Acme GmbH"]\n'
    chains = pipeline(config(abuseipdb(', comment = "{MESSAGE}"'), hide))
    chains.feed(ip=OFFENDER, user="bob", MESSAGE=line, _HOSTNAME="aubergine.example.org")
    [report] = reports(chains)
    assert report["comment"] == told


def test_a_user_name_of_strange_characters_is_cut_out_as_it_is(pipeline, abuseipdb):
    chains = pipeline(config(abuseipdb(', comment = "{MESSAGE}", hide = ["user", "who"]')))
    chains.feed(ip=OFFENDER, user=r"(.*)\1 $(x)", who="eve", MESSAGE=r"for (.*)\1 $(x) by eve")
    assert reports(chains)[0]["comment"] == "for […] by […]"


@pytest.mark.usefixtures("now")
def test_a_long_comment_is_cut_for_abuseipdb(pipeline, server, abuseipdb):
    chains = pipeline(config(abuseipdb(f', comment = "{{MESSAGE}}", url = "{server.url}"')))
    chains.feed(ip=OFFENDER, MESSAGE="é" * 5000)
    assert chains.deliver() == ["sent"]
    assert forms(server)[0]["comment"] == "é" * 500


# What a service answers.


def report_to(server, service=ABUSEIPDB, url=None):
    """Send a report; gives what is raised, if anything is."""
    try:
        send(service, url or server.url, KEY, {"ip": OFFENDER, "comment": ""})
    except (AwayError, Refused) as fault:
        return type(fault), str(fault)
    return None


def errors(detail):
    return json.dumps({"errors": [{"detail": detail, "status": 0}]})


@pytest.mark.usefixtures("now")
def test_a_service_that_is_away_gets_the_report_when_it_is_back(pipeline, server, abuseipdb):
    server.answers = [Answer(status=503), Answer(status=502, body="x"), Answer(break_off=True)]
    chains = pipeline(config(abuseipdb(f', url = "{server.url}"')))
    chains.feed(ip=OFFENDER)
    ends = [chains.deliver() for _ in range(5)]
    assert ends == [
        ["retry: action abuseipdb: HTTP 503"],
        ["retry: action abuseipdb: HTTP 502"],
        ["retry: action abuseipdb: no answer: Remote end closed connection without response"],
        ["sent"],
        [],
    ]


@pytest.mark.parametrize(
    ("service", "code", "answer", "fault"),
    [
        (ABUSEIPDB, 401, errors("Authentication failed"), "HTTP 401: Authentication failed"),
        (ABUSEIPDB, 429, errors(f"once in 15 min\n{KEY}"), "HTTP 429: once in 15 min […]"),
        (ABUSEIPDB, 422, "<html>", "HTTP 422"),
        (ABUSEIPDB, 403, '{"errors": ["x"]}', "HTTP 403"),
        (BLOCKLIST_DE, 200, '{"status": "error", "error": ["apikey: wrong"]}',
         'HTTP 200: ["apikey: wrong"]'),
        (BLOCKLIST_DE, 200, "<html>", "HTTP 200: an answer that is not understood"),
    ],
)  # fmt: skip
def test_a_refusal_is_told_and_not_tried_again(server, service, code, answer, fault):
    server.answer = Answer(status=code, body=answer)
    assert report_to(server, service) == (Refused, fault)


def test_a_redirection_does_not_get_the_key(server):
    server.answers = [Answer(status=302, headers={"Location": "/elsewhere"})]
    assert report_to(server) == (Refused, "HTTP 302")
    assert len(server.requests) == 1


def test_a_service_that_is_not_there_is_told(server):
    fault = "no answer: Connection refused"
    assert report_to(server, url="http://127.0.0.1:1/") == (AwayError, fault)


@pytest.mark.usefixtures("now")
def test_a_key_that_is_gone_is_told_and_the_report_waits_for_it(
    pipeline, server, abuseipdb, key_file
):
    chains = pipeline(config(abuseipdb(f', url = "{server.url}"')))
    chains.feed(ip=OFFENDER)
    key_file.rename(key_file.with_suffix(".away"))
    [said] = chains.deliver()
    start = f"retry: action abuseipdb: {key_file} cannot be read: No such file or directory (expect"
    assert said.startswith(start)
    key_file.with_suffix(".away").rename(key_file)
    assert chains.deliver() == ["sent"]


@pytest.mark.usefixtures("now")
def test_a_key_that_everybody_may_read_is_not_sent(pipeline, server, abuseipdb, key_file):
    chains = pipeline(config(abuseipdb(f', url = "{server.url}"')))
    chains.feed(ip=OFFENDER)
    key_file.chmod(0o644)
    [said] = chains.deliver()
    assert said.startswith(f"retry: action abuseipdb: {key_file} is open to every user of this mac")
    assert server.requests == []


# Options.


@pytest.mark.parametrize("content", ["two words", "schlüssel", " ", "a\tb", "", f"{KEY}\n{KEY}"])
def test_what_is_no_key_is_told_without_showing_it(key_file, content):
    key_file.write_text(content, "utf-8")
    with pytest.raises(ValueError, match=r"has no (key in it|secret on one line) \(exp") as caught:
        KeyFile(key_file).read()
    assert str(caught.value).startswith(f"{key_file} has no ")
    assert not content.strip() or content not in str(caught.value)


def test_blanks_around_a_key_are_no_part_of_it(key_file):
    key_file.write_text(f" {KEY} \r\n")
    assert KeyFile(key_file).read() == KEY


def test_a_key_in_the_place_of_its_file_is_refused_and_not_shown(pipeline):
    step = f'action = "abuseipdb", categories = [18], key_file = "{KEY}"'
    with pytest.raises(ConfigError) as caught:
        pipeline(config(step))
    [said] = caught.value.faults
    assert said.startswith('pyruse.toml: chains."all"[0].key_file: that is no path from / on (exp')
    assert KEY not in said


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        (', every = "10m"', '[0]: every is less than AbuseIPDB takes (expected "15m" or more)'),
        (
            ', url = "http://example.org/"',
            "[0].url: that is no URL to send a key to (expected http",
        ),
        (', url = "https://me:pw@example.org/"', "[0].url: that is no URL to send a key to"),
        (', url = "http://localhost.example.org/"', "[0].url: that is no URL to send a key to"),
    ],
)
def test_faulty_options_are_told_with_their_address(pipeline, abuseipdb, options, fault):
    with pytest.raises(ConfigError) as caught:
        pipeline(config(abuseipdb(options)))
    [said] = caught.value.faults
    assert said.startswith(f'pyruse.toml: chains."all"{fault}')


def test_categories_are_numbers(pipeline, abuseipdb):
    with pytest.raises(ConfigError) as caught:
        pipeline(config(abuseipdb().replace("[18, 22]", '[18, "ssh"]')))
    [said] = caught.value.faults
    assert 'chains."all"[0].categories[1]: that is no category of AbuseIPDB' in said


def test_a_reporter_needs_all_that_x_arf_asks_for(pipeline):
    with pytest.raises(ConfigError) as caught:
        pipeline(config(XARF.replace('domain = "example.org"', 'phone = "0"')))
    assert [fault.partition("(")[0] for fault in caught.value.faults] == [
        'pyruse.toml: chains."all"[0].reporter.phone: unknown option ',
        'pyruse.toml: chains."all"[0].reporter.domain: missing ',
    ]
