"""The table of certificates."""

from __future__ import annotations

from tests.plugins.summaries.conftest import table


def test_those_that_failed_come_first(machine):
    here = machine(["certbot"])
    here.says("certbot", "  /etc/letsencrypt/live/www.example.org/fullchain.pem (success)")
    here.says(
        "certbot", "Failed to renew certificate mail.example.org with error: Some challenges failed"
    )
    report = here.ends_day()
    assert (
        table(report, "certificates")
        == """\
# Certificates
Certificate | What | Why | Times | Last
* mail.example.org | failed | Some challenges failed | 1 | 12:00:00
www.example.org | renewed |  | 1 | 12:00:00
"""
    )


def test_only_those_that_failed(machine):
    here = machine(["certbot"], "[plugins.certificate_summary]\nfailed_only = true\n")
    here.says("certbot", "  /etc/letsencrypt/live/www.example.org/fullchain.pem (success)")
    assert here.ends_day().summaries == []
