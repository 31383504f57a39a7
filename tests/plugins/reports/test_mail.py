from __future__ import annotations

CHAINS = """
[email]
to = ["hostmaster@example.org", "root"]
[report]
timezone = "Europe/Paris"
{report}
[chains]
all = [
  {{ filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test", else = "other" }},
  {{ action = "report", section = "important", message = "{{MESSAGE}}" }},
]
other = [ {{ action = "report", section = "other", message = "{{MESSAGE}}" }} ]
"""


def day_of(pipeline, report=""):
    flow = pipeline(CHAINS.format(report=report))
    for message in ("disk <b>sdb</b> fails", "disk <b>sdb</b> fails", "fan stopped"):
        flow.feed(SYSLOG_IDENTIFIER="test", MESSAGE=message, _HOSTNAME="aubergine")
    flow.feed(SYSLOG_IDENTIFIER="cron", MESSAGE="a line", _HOSTNAME="basil")
    flow.end_day()
    return flow


def test_the_report_is_mailed_when_the_day_ends(pipeline):
    flow = day_of(pipeline)
    (mail,) = flow.emails
    assert mail.subject == "Pyruse daily report for 2026-03-14"
    assert mail.to == ["hostmaster@example.org", "root"]
    assert "2 × disk <b>sdb</b> fails" in mail.body
    (item,) = flow.state.outbox.items("mail")
    assert "disk &lt;b&gt;sdb&lt;/b&gt; fails" in item.payload["html"]


def test_the_subject_may_tell_what_is_in_it(pipeline):
    subject = "{host} {day}: {important}/{interesting}/{other} of {entries} {nothing}!"
    (mail,) = day_of(pipeline, f'subject = "{subject}"').emails
    assert mail.subject == "aubergine, basil 2026-03-14: 2/0/1 of 4 !"


def test_a_quiet_day_is_mailed_too(pipeline):
    flow = pipeline(CHAINS.format(report=""))
    flow.end_day()
    (mail,) = flow.emails
    assert mail.body.count("nothing") == 3


def test_nothing_is_mailed_to_nobody(pipeline):
    toml = CHAINS.replace('to = ["hostmaster@example.org", "root"]', "")
    flow = pipeline(toml.format(report=""))
    flow.end_day()
    assert flow.emails == []
    assert flow.faults == []


def test_it_can_be_turned_off(pipeline):
    flow = pipeline(CHAINS.format(report="") + '[plugins]\ndisable = ["mail_report"]')
    flow.end_day()
    assert flow.emails == []
