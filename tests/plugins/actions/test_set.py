import pytest

from pyruse.errors import ConfigError


def test_who_is_where(pipeline):
    chains = pipeline("""
        [chains]
        "logins" = [
          { action = "set", field = "who", value = "{user}@{_HOSTNAME}" },
          { action = "report", section = "interesting", message = "{who} logged in" },
        ]
    """)
    chains.feed(user="alice", _HOSTNAME="mail")
    assert [row.message for row in chains.report.interesting] == ["alice@mail logged in"]


def value_set(pipeline, template, **fields):
    chains = pipeline(f"""
        [chains]
        "test" = [ {{ action = "set", field = "new", value = '{template}' }} ]
    """)
    found = chains.feed(**fields)
    assert chains.faults == []
    return found["new"]


def test_a_missing_field_is_nothing(pipeline):
    assert value_set(pipeline, "<{nobody}>") == "<>"


def test_what_a_template_can_do(pipeline, clock):
    fields = {"n": 7, "PRIORITY": "3", "MESSAGE": "hi"}
    assert value_set(pipeline, "{n:^5d}|{PRIORITY:>2}|{MESSAGE!r}|{{}}", **fields) == (
        "  7  | 3|'hi'|{}"
    )
    assert value_set(pipeline, "{__REALTIME_TIMESTAMP}") == clock.now.strftime("%F %T:%f")
    assert value_set(pipeline, "{__REALTIME_TIMESTAMP:%H:%M}") == clock.now.strftime("%H:%M")


def test_a_format_that_does_not_fit_is_done_without(pipeline):
    assert value_set(pipeline, "{MESSAGE:5d}", MESSAGE="hello") == "hello"


def test_a_field_of_the_entry_can_be_set_anew(pipeline):
    chains = pipeline("""
        [chains]
        "shorter" = [
          { action = "set", field = "MESSAGE", value = "[{SYSLOG_IDENTIFIER}] {MESSAGE}" },
          { action = "set", field = "MESSAGE", value = "{MESSAGE}!" },
        ]
    """)
    assert chains.feed(SYSLOG_IDENTIFIER="a", MESSAGE="b")["MESSAGE"] == "[a] b!"


def test_a_value_is_never_a_template(pipeline):
    assert value_set(pipeline, "{MESSAGE}", MESSAGE="{SECRET} {0.__class__}", SECRET="s") == (
        "{SECRET} {0.__class__}"
    )


def test_later_chains_see_it_and_the_next_entry_does_not(pipeline):
    chains = pipeline("""
        [chains]
        "first" = [
          { filter = "exists", field = "user" },
          { action = "set", field = "seen", value = "{user}", then = "second" },
        ]
        "second" = [ { filter = "exists", field = "seen" }, { action = "log", message = "{seen}" } ]
        "third" = [ { action = "log", message = "<{seen}>" } ]
    """)
    chains.feed(user="alice")
    chains.feed(MESSAGE="nobody")
    assert [line.message for line in chains.logs] == ["alice", "<>"]


def test_the_journals_own_fields_cannot_be_set(pipeline):
    with pytest.raises(ConfigError) as refused:
        pipeline('[chains]\n"c" = [ { action = "set", field = "_UID", value = "0" } ]')
    assert str(refused.value) == (
        'pyruse.toml: chains."c"[0].field: "_UID" cannot be set (expected a name that does not '
        "begin with an underscore: those are the journal's own)"
    )
