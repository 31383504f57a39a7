import pytest

HEAD = """
[email]
from = "pyruse@example.org"
to = ["hostmaster@example.org"]
subject = "Mail of {_HOSTNAME}"
"""


def test_a_disk_that_dies(pipeline):
    chains = pipeline("""
        [email]
        to = ["hostmaster@example.org"]
        [chains]
        "disk" = [
          { filter = "contains", text = "I/O error" },
          { action = "email", subject = "Disk error: {_HOSTNAME}", message = "{MESSAGE}" },
        ]
    """)
    chains.feed(_HOSTNAME="mail", MESSAGE="I/O error, dev sda, sector 1234")
    (mail,) = chains.emails
    assert mail.subject == "Disk error: mail"
    assert mail.to == ["hostmaster@example.org"]
    assert mail.body == "I/O error, dev sda, sector 1234"


def mails(pipeline, options, entries):
    """The mails that entries cause, with their subjects and texts."""
    chains = pipeline(f'{HEAD}\n[chains]\n"c" = [ {{ action = "email", {options} }} ]')
    for fields in entries:
        chains.feed(**fields)
    assert chains.faults == []
    return chains.emails


def test_the_subject_of_mails_without_one(pipeline):
    step = '[chains]\n"c" = [ { action = "email", message = "x" } ]'
    for head, subject in ((HEAD, "Mail of mail"), ("", "Pyruse Notification")):
        chains = pipeline(head + step)
        chains.feed(_HOSTNAME="mail")
        assert [mail.subject for mail in chains.emails] == [subject]


def test_somebody_else_gets_it(pipeline):
    (mail,) = mails(pipeline, 'message = "x", to = ["a@example.org", "root"]', [{}])
    assert mail.to == ["a@example.org", "root"]


def test_one_mail_an_entry(pipeline):
    found = mails(pipeline, 'message = "{n}"', [{"n": n} for n in range(3)])
    assert [mail.body for mail in found] == ["0", "1", "2"]


def test_a_missing_field_is_nothing(pipeline):
    (mail,) = mails(pipeline, 'subject = "<{a}>", message = "<{b}>"', [{}])
    assert (mail.subject, mail.body) == ("<>", "<>")


def test_an_entry_adds_no_headers_and_no_escapes(pipeline):
    entry = {"x": "a\r\nBcc: mallory@example.org\x1b[31m"}
    (mail,) = mails(pipeline, 'subject = "{x}", message = "{x}"', [entry])
    assert mail.subject == r"a Bcc: mallory@example.org\x1b[31m"
    assert mail.body == "a\nBcc: mallory@example.org\\x1b[31m"


EVERY = 'subject = "Errors", message = "{MESSAGE}", every = "10m"'


@pytest.fixture
def errors(pipeline):
    """Chains with a mail every ten minutes."""
    return pipeline(f'{HEAD}\n[chains]\n"c" = [ {{ action = "email", {EVERY} }} ]')


def test_the_first_goes_at_once_and_repeats_are_gathered(errors, clock):
    for message in ("one", "two", "three"):
        errors.feed(MESSAGE=message)
        clock.advance("1m")
    first, gathered = errors.emails
    assert (first.subject, first.body) == ("Errors", "one")
    assert (gathered.subject, gathered.body) == ("Errors (2 times)", "2 times:\n\ntwo\nthree")


def test_when_each_mail_leaves(errors, clock):
    start = clock.us
    for _ in range(25):
        errors.feed(MESSAGE="x")
        clock.advance("1m")
    items = errors.state.outbox.items("mail")
    minutes = [(item.due - start) / 60e6 for item in items]
    assert minutes == [0, 10, 20, 30]
    assert [item.payload["count"] for item in items] == [1, 9, 10, 5]


def test_after_a_quiet_time_the_next_one_goes_at_once(errors, clock):
    errors.feed(MESSAGE="one")
    clock.advance("10m")
    errors.feed(MESSAGE="two")
    assert [mail.body for mail in errors.emails] == ["one", "two"]
    assert all(item.due == item.created for item in errors.state.outbox.items("mail"))


def test_a_single_repeat_is_a_mail_like_any_other(errors):
    for message in ("one", "two"):
        errors.feed(MESSAGE=message)
    assert [(mail.subject, mail.body) for mail in errors.emails] == [
        ("Errors", "one"),
        ("Errors", "two"),
    ]


def test_a_flood_is_counted_and_not_quoted_without_end(errors):
    for n in range(1001):
        errors.feed(MESSAGE=f"line {n}")
    mail = errors.emails[1]
    assert mail.subject == "Errors (1000 times)"
    lines = mail.body.splitlines()
    assert lines[0] == "1000 times:"
    assert lines[2:4] == ["line 1", "line 2"]
    assert lines[-1] == "… and 950 more"
    assert len(lines) == 53


def test_each_step_gathers_its_own(pipeline):
    chains = pipeline(f"""
        {HEAD}
        [chains]
        "c" = [
          {{ action = "email", message = "a", every = "10m" }},
          {{ action = "email", message = "b", every = "10m" }},
          {{ action = "email", message = "c" }},
        ]
    """)
    for _ in range(3):
        chains.feed(MESSAGE="x")
    counts = [item.payload["count"] for item in chains.state.outbox.items("mail")]
    assert counts == [1, 1, 1, 2, 2, 1, 1]
