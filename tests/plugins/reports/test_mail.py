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
    assert mail.subject == "aubergine, basil: 2 need attention: disk <b>sdb</b> fails; fan stopped"
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
    assert "nothing unusual" in mail.body
    assert mail.headers["X-Pyruse-Attention"] == "0"


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


def test_nothing_is_mailed_on_a_quiet_day_if_it_is_said_so(pipeline):
    flow = pipeline(CHAINS.format(report='quiet = "skip"'))
    flow.feed(SYSLOG_IDENTIFIER="cron", MESSAGE="a line")
    flow.end_day()
    assert flow.emails == []
    flow.feed(SYSLOG_IDENTIFIER="test", MESSAGE="fan stopped")
    flow.end_day()
    assert len(flow.emails) == 1


MAILS = """
[[plugins.mail_report.mails]]
quiet = "send"

[[plugins.mail_report.mails]]
to = ["boss@example.org"]
parts = ["important"]
encrypt_to = ["boss@example.org"]

[[plugins.mail_report.mails]]
to = ["short@example.org"]
form = "short"

[[plugins.mail_report.mails]]
to = ["basil@example.org"]
hosts = ["bas*"]

[[plugins.mail_report.mails]]
to = ["weekly@example.org"]
every = "week"
"""


def test_several_mails_each_with_what_its_people_want(pipeline, tmp_path):
    report = f'quiet = "skip"\narchive = "{tmp_path}"\nhosts = "apart"'
    flow = pipeline(CHAINS.format(report=report) + MAILS)
    flow.feed(SYSLOG_IDENTIFIER="test", MESSAGE="fan stopped", _HOSTNAME="basil")
    flow.feed(SYSLOG_IDENTIFIER="cron", MESSAGE="an odd line", _HOSTNAME="basil")
    flow.end_day()
    of_basil = [mail for mail in flow.emails if "an odd line" in mail.body]
    assert [mail.to for mail in of_basil] == [
        ["hostmaster@example.org", "root"], ["basil@example.org"],
    ]  # fmt: skip
    boss, *none = (mail for mail in flow.emails if mail.to == ["boss@example.org"])
    assert not none  # the report of this machine is quiet
    assert "fan stopped" in boss.body
    items = [item.payload for item in flow.state.outbox.items("mail")]
    assert [item["encrypt_to"] for item in items if item["to"] == ["boss@example.org"]] == [
        ["boss@example.org"]
    ]
    (short,) = (mail for mail in flow.emails if mail.to == ["short@example.org"])
    assert short.body.endswith(f"The whole report: {tmp_path}/2026-03-14.basil.html\n")
    assert "an odd line" not in short.body
    assert not any(mail.to == ["weekly@example.org"] for mail in flow.emails)


def test_a_short_mail_names_the_address_where_people_find_the_archive(pipeline, tmp_path):
    flow = pipeline(
        CHAINS.format(report=f'archive = "{tmp_path}"')
        + '[plugins.archive_report]\nurl = "https://example.org/reports/"\n'
        + '[plugins.mail_report]\nmails = [{ form = "short" }]'
    )
    flow.end_day()
    (mail,) = flow.emails
    assert "https://example.org/reports/2026-03-14.html" in mail.body
