"""The tables of requests to web servers."""

from __future__ import annotations

from tests.plugins.summaries.conftest import glances, table


def asks(here, path: str, status: int, ip: str = "203.0.113.9", size: int = 1_000) -> None:
    line = f'{ip} - - [29/Nov/2026:06:25:01 +0000] "GET {path} HTTP/1.1" {status} {size} "-" "curl"'
    here.says("nginx", line, _EXE="/usr/sbin/nginx", _UID=33, _SYSTEMD_UNIT="nginx.service")


def test_a_day_of_requests(machine):
    here = machine(["nginx"])
    for number in range(5):
        asks(here, f"/page{number}", 200, size=2_000_000)
    asks(here, "/old", 301)
    asks(here, "/cart?id=1", 502)
    asks(here, "/cart?id=2", 502, "203.0.113.10")
    asks(here, "/missing.png", 404)
    report = here.ends_day()
    assert (
        "".join(table(report, one.id) for one in report.summaries)
        == """\
# Web
Status | Requests | Size
2xx, answered | 5 | 9.5 MiB
3xx, elsewhere | 1 | 1,000 B
4xx, faulty requests | 1 | 1,000 B
* 5xx, errors of the server | 2 | 2.0 KiB
# Web: pages with errors of the server
Page | Site | Status | Times | From | Last
* /cart |  | 502 | 2 | 203.0.113.10 (1), 203.0.113.9 (1) | 12:00:00
# Web: pages that are not there
Page | Site | Status | Times | From | Last
/missing.png |  | 404 | 1 | 203.0.113.9 | 12:00:00
"""
    )
    assert glances(report)["Web requests answered / failed"] == ([6, 3], None)


def test_a_flood_of_paths_hides_no_error_of_the_server(machine):
    here = machine(["nginx"], "[plugins.web_summary]\nmissing = 1\n")
    asks(here, "/cart", 500)
    for number in range(3_100):
        asks(here, f"/{number}", 404)
    report = here.ends_day()
    assert "/cart |  | 500 | 1" in table(report, "web-errors")
    assert "4xx, faulty requests | 3,100" in table(report, "web")
    lines = table(report, "web-missing").splitlines()
    assert lines[1].startswith("Of 1,")
    assert len(lines) == 5


def test_sites_by_their_bytes(pipeline):
    flow = pipeline('[chains]\nweb = [ { action = "event", name = "request", service = "web" } ]')
    for site, size in (("a.example", "100"), ("b.example", "4096"), ("a.example", "200")):
        flow.feed(site=site, status="200", size=size)
    assert (
        table(flow.end_day(), "web-sites")
        == """\
# Web: sites
Site | Requests | Failed | Size
b.example | 1 | 0 | 4.0 KiB
a.example | 2 | 0 | 300 B
"""
    )
