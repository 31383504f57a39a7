"""What the pages show: by HTTP, and as text."""

from __future__ import annotations

import hashlib
import re
import socket
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from urllib.parse import quote

import pytest
from conftest import CHAINS, HOSTILE
from pyruse_web import reports

from pyruse.testing import TIME_LIMIT, wait_until


def test_today_has_the_report_so_far(page):
    text = page.get("/")
    assert "<title>2026-03-14: 1 thing needs attention – Pyruse</title>" in text
    assert ", Saturday 2026-03-14, so far</p>" in text
    assert '<h1 class="bad">1 thing needs attention</h1>' in text
    assert text.count('<li class="') == 1
    assert '<span class="mark">3 times</span>' in text
    assert "Ban of 203.0.113.0" in text
    assert "4 entries · 3 important, 1 interesting, 1 other" in text
    assert 'aria-label="Entries by hour, at most 4: 0, 0, ' in text
    assert re.search(r"<th scope=.row.>Entries</th><td class=.number.>4</td>", text)


def test_the_messages_of_a_kind_stand_behind_it(page):
    text = page.get("/?part=important")
    kind = text[text.index('<tbody role="rowgroup">') :]
    assert "Ban of &lt;ip&gt;: &lt;MESSAGE&gt;" in kind
    assert kind.count("<details>") == 1
    assert kind.count("<li>Ban of 203.0.113.") == 3


@pytest.fixture
def days(serve, pipeline, tmp_path):
    """Three kept days, the last of which goes on, with a digest of each week."""
    toml = CHAINS.replace("[report]", '[report]\ndigests = ["week"]')
    chains = pipeline(toml, state=tmp_path / "state.sqlite")
    for number in range(3):
        if number:
            chains.end_day()
        for last in range(7):
            line = f"bad 203.0.113.{last} of day {number}"
            chains.feed(SYSLOG_IDENTIFIER="sshd", MESSAGE=line)
    return serve(chains.observer).log_in()


def test_each_kept_day_has_a_page_that_can_be_kept_as_a_bookmark(days):
    first, second, today = (days.get(f"/day/2026-03-{day}") for day in (14, 15, 16))
    for number, text in enumerate((first, second, today)):
        assert f"of day {number}" in text
        assert f"of day {(number + 1) % 3}" not in text
    assert ", so far</p>" in today
    assert "so far" not in first
    assert "no earlier one" in first
    assert '<a rel="next" href="/day/2026-03-15">2026-03-15 →</a>' in first
    assert '<a rel="prev" href="/day/2026-03-14">← 2026-03-14</a>' in second
    assert "the last one" in today
    assert today.replace("/day/2026-03-16", "/") == days.get("/").replace("/day/2026-03-16", "/")


def test_the_days_and_digests_to_go_to_are_listed_the_newest_first(days):
    listed = re.findall(r'<li><a href="/day/([^"]+)"', days.get("/"))
    assert listed == ["2026-03-16", "2026-03-15", "2026-03-14", "2026-W12", "2026-W11"]
    week = days.get("/day/2026-W11")
    assert "14 entries" in week
    for number in range(3):
        found = days.get(f"/day/2026-W11?q=of day {number}")
        assert ("No message has this text." in found) == (number == 2)
    assert '<a rel="next" href="/day/2026-W12">' in week


@pytest.mark.parametrize(
    "path", ["/day/2025-01-01", "/day/today", "/day/%1b[31m", "/day/..", "/day/2026-03-14?host=x"]
)
def test_what_is_not_kept_is_said_to_be_missing(days, path):
    answer = days.client.get(path, follow_redirects=False)
    assert answer.status_code == 404 or (answer.status_code, answer.url.path) == (200, "/")
    assert "\x1b" not in answer.text


def test_parts_can_be_asked_for_alone(page):
    parts = {
        "attention": 'id="attention"', "important": 'id="important"',
        "interesting": 'id="interesting"', "other": 'id="other"', "bans": 'id="s-bans"',
        "summaries": 'id="s-bans"',
    }  # fmt: skip
    for part, mark in parts.items():
        text = page.get(f"/?part={part}")
        assert mark in text
        assert not [
            other for other in parts.values() if other != mark and f"<h2 {other}" in text
        ], part
        assert '<h1 class="bad">1 thing needs attention</h1>' in text
        assert f'<option value="{part}" selected>' in text
    assert "There is nothing in this part." in page.get("/?part=nothing-of-this-name")


def test_a_text_is_found_in_every_part(days):
    text = days.get("/?q=203.0.113.5")
    assert "Only what has “203.0.113.5” in it is shown." in text
    assert '<td role="cell" class="short" data-title="Address">203.0.113.5</td>' in text
    assert "203.0.113.4" not in text.replace("<li>", "").split('id="found"')[1]
    assert "Ban of 203.0.113.5: bad 203.0.113.5 of day 2" in text
    assert "of day 1" not in text
    assert '<li class="' not in text
    assert '<a href="/bans?q=203.0.113.5">1 ban</a> is in force' in text
    assert '<a href="/bans?q=203.0.113.0%2F29">7 bans</a> are' in days.get("/?q=203.0.113.0/29")
    assert days.get("/?q=203.0.113.0").count('<li class="') == 1, "what needs attention"
    important = days.get("/?q=BAD 203&part=important")
    assert important.count('<span class="quiet">important</span>') == 7
    assert '<span class="quiet">other</span>' not in important
    assert "No message has this text." in days.get("/?q=%25")
    assert "Nothing of it has this text." in days.get("/?q=%25")


def test_a_text_is_found_in_the_messages_of_all_days(days):
    text = days.get("/search?q=bad 203.0.113.5&part=important")
    assert re.findall(r'<a href="/day/([^"]+)">', text) == [
        "2026-03-16",
        "2026-03-15",
        "2026-03-14",
    ]
    assert "No message has this text." in days.get("/search?q=nobody wrote this")
    assert 'id="found"' not in days.get("/search")


def test_a_report_that_took_long_to_make_is_shown_again_for_a_while(serve, chains, monkeypatch):
    observer, made = chains.observer, []
    report = observer.report
    monkeypatch.setattr(reports, "_LONG_S", -1.0)
    monkeypatch.setattr(reports, "_KEPT_S", 1e6)
    monkeypatch.setattr(observer, "report", lambda *a: made.append(a) or slow(report(*a)))
    page = serve(observer).log_in()
    assert page.get("/") == page.get("/")
    page.get("/?part=other")
    assert made == [(0, None, None)]


def slow(report):
    time.sleep(0.5)  # it is kept for twenty times as long
    return report


def test_hostile_lines_are_text_and_nothing_else_on_every_page(page):
    asked = quote(HOSTILE[:60])
    for path in (
        *(
            "/",
            "/bans",
            "/chains?show=none",
            f"/chains?show=all&fold={asked}",
            "/health",
            f"/bans?q={asked}",
        ),
        *(f"/?q={asked}&part={asked}", f"/search?q={asked}", f"/?part={asked}", "/?q=gnp"),
    ):
        text = page.get(path)
        assert "<script" not in text
        assert "<img" not in text
        assert "<style" not in text
        assert "style=" not in text, "the browser would refuse it"
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "&lt;script&gt;pwned = 1&lt;/script&gt;" in page.get("/")
    assert "red\\x07 \\u202egnp.exe" in page.get("/?q=gnp")
    assert "{{ 7 * 7 }}" in page.get("/?q=gnp")


def test_the_chains_are_drawn_and_told_in_words(page):
    text = page.get("/chains")
    assert text.count('<g class="box') == 3
    assert text.count('<g class="box jump"') == 1
    assert text.count('class="line then"') == 1
    assert text.count('class="line else"') == 1
    assert text.count('class="line next"') == 1
    assert "failed logins" in text
    assert "not exists" in text
    assert '<td class="text">else others</td>' in text
    assert "reached by jumps only" in text
    assert "counters = true" in text, "there are no numbers, and it says why"


def test_chains_are_folded_and_unfolded_by_the_address(page):
    def boxes(path):
        text = page.get(path)
        states = re.findall(r'<a href="([^"]+)" aria-expanded="(\w+)"><title>(\w+)[^<]*', text)
        return {name: (state == "true", address) for address, state, name in states}

    assert {name: is_open for name, (is_open, _) in boxes("/chains").items()} == {
        "ssh": True,
        "others": True,
    }
    folded = boxes(boxes("/chains")["ssh"][1])
    assert {name: is_open for name, (is_open, _) in folded.items()} == {
        "ssh": False,
        "others": True,
    }
    assert folded["ssh"][1] == "/chains"
    assert boxes("/chains?show=none")["ssh"] == (False, "/chains?show=none&amp;open=ssh")
    assert boxes("/chains?show=none&open=ssh&open=x")["ssh"] == (True, "/chains?show=none")
    assert boxes("/chains?show=all&fold=ssh")["ssh"] == (False, "/chains?show=all")


def test_numbers_of_entries_are_in_the_graph_and_in_the_tables(serve, chains):
    observer = chains.observer
    status = observer.status()
    numbers = [
        {"index": index, "kind": kind, "plugin": plugin, "seen": seen, "passed": passed}
        for index, (kind, plugin, seen, passed) in enumerate(
            [
                ("filter", "equals", 12_345_678, 45_678),
                ("filter", "regex", 45_678, 789),
                ("action", "count", 789, 789),
                ("action", "report", 789, 789),
                ("action", "ban", 789, 789),
            ]
        )
    ]
    counted = [{"chain": "ssh", "entries": 12_345_678, "steps": numbers}]
    observer.status = lambda: {**status, "daemon": {"chains": counted}}
    text = serve(observer).log_in().get("/chains")
    assert "12 M → 45 k" in text
    assert "45 k → 789" in text
    assert '<td class="number">12,345,678</td><td class="number">45,678</td>' in text
    assert "12,345,678 entries" in text


def test_health_tells_of_daemon_outbox_counters_and_faults(serve, chains):
    observer = chains.observer
    status = observer.status()
    fault = {"day": "2026-03-14", "place": "mail", "text": HOSTILE, "first": 1, "last": 2}
    aside = {"kind": "mail", "subject": HOSTILE, "to": ["root"], "created": 3, "fault": HOSTILE}
    daemon = {
        "pid": 7, "version": "2", "since": 1_770_000_000_000_000, "entries": 1234,
        "per_second": {"minute": 1.25, "hour": 0.5}, "cpu_seconds": 3.21,
        "memory_bytes": 45_000_000, "held_up_by": "the state cannot be written: disk is full",
        "chains": None,
    }  # fmt: skip
    observer.status = lambda: {
        **status,
        "daemon": daemon,
        "faults": [{**fault, "count": 1234}],
        "outbox": {"waiting": {"mail": 2, "command": 1}, "set_aside": [aside]},
    }
    text = serve(observer).log_in().get("/health")
    assert "Held up: the state cannot be written: disk is full" in text
    assert "2 mails, 1 program waiting" in text
    assert "1,234 since the start" in text
    assert '<th scope="row">ssh</th><td class="number">3</td>' in text
    assert '<td class="number">1,234</td>' in text
    assert "<script" not in text


def test_a_quiet_new_pyruse_has_pages_too(serve, pipeline, tmp_path):
    page = serve(pipeline(CHAINS, state=tmp_path / "state.sqlite").observer).log_in()
    assert "Nothing was reported." in page.get("/")
    assert "Nobody is banned." in page.get("/bans")
    assert "nothing is handled yet" in page.get("/health")


def test_a_state_that_cannot_be_read_is_one_line_and_can_be_looked_at_again(page, tmp_path):
    (tmp_path / "state.sqlite").rename(tmp_path / "elsewhere")
    for path in ("/", "/bans", "/health"):
        answer = page.client.get(path)
        assert answer.status_code == 503
        assert "state.sqlite: " in answer.text
        assert "Traceback" not in answer.text
    (tmp_path / "elsewhere").rename(tmp_path / "state.sqlite")
    page.get("/")


def test_a_flood_of_different_lines_is_a_page_of_bounded_size(serve, pipeline, tmp_path):
    toml = """[report]\ntimezone = "UTC"\n[chains]\n"all" = [
        { action = "report", section = "important", message = "{MESSAGE}" }]"""
    chains = pipeline(toml, state=tmp_path / "state.sqlite")
    words = [hashlib.sha256(b"%d" % number).hexdigest() for number in range(3000)]
    for word in words:
        letters = word.translate(str.maketrans("0123456789", "ghijklmnop"))
        chains.feed(MESSAGE=f"{letters} {letters[::-1]} failed " + letters * 30)
    page = serve(chains.observer).log_in()
    whole, part, found = (page.get(path) for path in ("/", "/?part=important", "/?q=failed"))
    assert len(whole) < 150_000
    assert "more kinds</a>" in whole
    assert len(part) < 600_000
    assert "“pyruse report 2026-03-14 --full” has them all" in part
    assert len(found) < 1_500_000
    assert "There may be more: these are the newest ones." in found
    assert "3,000 important" in whole


def test_who_comes_while_too_many_look_is_told_to_come_again(serve, chains):
    observer, go_on = chains.observer, threading.Event()
    report = observer.report
    observer.report = lambda *asked: (go_on.wait(TIME_LIMIT), report(*asked))[1]
    page = serve(observer).log_in()
    with ThreadPoolExecutor(20) as visitors:
        codes = []

        def visit(_):
            answer = page.client.get("/")
            codes.append(answer.status_code)
            if answer.status_code == 503:
                assert "Too many look at once" in answer.text
                assert answer.headers["Retry-After"] == "5"

        visits = [visitors.submit(visit, number) for number in range(14)]
        wait_until(lambda: codes.count(503) == 14 - 9)
        assert "Log in" in page.client.get("/login").text, "what takes no look is answered"
        go_on.set()
        for one in visits:
            one.result()
    assert sorted(codes) == [200] * 9 + [503] * 5


def test_machines_that_have_a_report_of_their_own_are_chosen_by_name(serve, pipeline, tmp_path):
    apart = CHAINS.replace("[report]", '[report]\nhosts = "apart"')
    chains = pipeline(apart, state=tmp_path / "state.sqlite")
    chains.feed(MESSAGE="of this one", _HOSTNAME=socket.gethostname())
    chains.feed(MESSAGE="of <web1>", _HOSTNAME="<web1>")
    page = serve(chains.observer).log_in()
    here = page.get("/")
    assert "of &lt;web1&gt;" not in here
    [address] = re.findall(r'<a href="([^"]*)">&lt;web1&gt;</a>', here)
    there = page.get(address)
    assert "of &lt;web1&gt;" in there
    assert "of this one" not in there
    assert '<input type="hidden" name="host" value="&lt;web1&gt;">' in there
    assert page.client.get("/?host=web2").status_code == 404


BANS = '[chains]\n"all" = [{ action = "ban", ip = "ip", duration = "1h" }]'


def addresses(text):
    return re.findall(r'<th scope="row" role="rowheader">([0-9a-f.:/]+)', text)


@pytest.fixture
def banned(pipeline, clock, tmp_path, serve):
    """``banned(10)``: a page of Pyruse with so many bans, each a moment after the other."""

    def page(count):
        chains = pipeline(BANS, state=tmp_path / "state.sqlite")
        for number in range(count):
            ip = f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}"
            at = clock.now + timedelta(microseconds=number)
            chains.feed(at=at, ip=ip, MESSAGE=f"line {number}")
        return serve(chains.observer).log_in()

    return page


def test_ten_thousand_bans_are_shown_page_by_page_the_newest_first(banned):
    page = banned(10_000)
    first = page.get("/bans")
    assert "0 in force, 10,000 not" in first, "no firewall has taken them in a test"
    assert len(addresses(first)) == 100
    assert addresses(first)[0] == "10.0.39.15"
    assert len(first) < 100_000
    assert '<a rel="next" href="/bans?q=&amp;page=2">Older</a>' in first
    last = page.get("/bans?page=100")
    assert addresses(last)[-1] == "10.0.0.0"
    assert "Older" not in last
    found = page.get("/bans?q=10.0.1.0/24")
    assert "256 bans found." in found
    assert 'href="/bans?q=10.0.1.0%2F24&amp;page=2"' in found


def test_bans_are_found_by_address_network_and_text(banned):
    page = banned(300)
    assert addresses(page.get("/bans?q=10.0.1.7")) == ["10.0.1.7"]
    assert len(addresses(page.get("/bans?q=10.0.1.0/24"))) == 44
    assert addresses(page.get("/bans?q=LINE 299")) == ["10.0.1.43"]
    assert "0 bans found." in page.get("/bans?q=2001:db8::1")


def test_a_page_that_is_none_is_the_first_or_the_last(banned):
    page = banned(150)
    first, last = page.get("/bans"), page.get("/bans?page=2")
    assert len(addresses(last)) == 50
    assert page.get("/bans?page=9999") == last
    for nonsense in ("0", "-1", "x", "1" * 5000, "²"):
        assert page.get(f"/bans?page={nonsense}") == first


def test_who_is_in_a_banned_network_is_found(serve, pipeline, tmp_path):
    chains = pipeline(
        '[chains]\n"all" = [{ action = "ban", ip = "ip", prefix4 = 24, prefix6 = 64 }]',
        state=tmp_path / "state.sqlite",
    )
    chains.feed(ip="203.0.113.7")
    chains.feed(ip="2001:db8::7")
    page = serve(chains.observer).log_in()
    assert addresses(page.get("/bans?q=203.0.113.9")) == ["203.0.113.0/24"]
    assert addresses(page.get("/bans?q=2001:db8::1")) == ["2001:db8::/64"]
    assert "for ever" in page.get("/bans")
