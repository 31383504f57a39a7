"""What the pages show: by HTTP, and as text."""

from __future__ import annotations

import re
from datetime import timedelta

import pytest
from conftest import CHAINS, HOSTILE


def test_today_has_the_report_so_far(page):
    text = page.get("/")
    assert "<title>2026-03-14 – Pyruse</title>" in text
    assert re.search(r"<dt>entries read</dt><dd>4</dd>", text)
    assert re.search(r'<div class="important"><dt>important</dt><dd>3</dd>', text)
    assert "Ban of 203.0.113.0" in text
    assert "<span>12:00:00</span>" in text


def test_hostile_lines_are_text_and_nothing_else_on_every_page(page):
    for path in ("/", "/bans", "/chains", "/health", f"/bans?q={HOSTILE[:60]}"):
        text = page.get(path)
        assert "<script" not in text
        assert "<img" not in text
        assert "<style" not in text
        assert "style=" not in text, "the browser would refuse it"
        assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]", text)
    assert "&lt;script&gt;pwned = 1&lt;/script&gt;" in page.get("/")
    assert "\\x1b[31mred\\x07 \\u202egnp.exe" in page.get("/")
    assert "{{ 7 * 7 }}" in page.get("/")


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
    assert page.get("/").count("Nothing so far.") == 3
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
