import pytest

from pyruse.errors import ConfigError


def test_those_who_come_back_after_a_ban(pipeline):
    """A line that Pyruse logs is an entry like any other: chains can count bans."""
    chains = pipeline(r"""
        [chains]
        "ssh" = [
          { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" },
          { action = "log", message = "banned {ip}", level = "NOTICE" },
        ]
        "again" = [
          { filter = "regex", pattern = '^banned (?P<ip>\S+)$' },
          { action = "count", counter = "bans", key = "ip", within = "1d", into = "bans" },
          { filter = "at_least", field = "bans", value = 2 },
          { action = "ban", ip = "ip", duration = "1w" },
        ]
    """)
    for number in (1, 2):
        chains.feed(SYSLOG_IDENTIFIER="sshd", ip="203.0.113.7")
        line = chains.logs[-1]
        assert (line.level, line.message) == ("NOTICE", "banned 203.0.113.7")
        chains.feed(SYSLOG_IDENTIFIER="pyruse", MESSAGE=line.message)
        assert len(chains.bans) == number - 1


LEVELS = ["EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"]


def test_the_levels_of_syslog(pipeline):
    steps = [f'{{ action = "log", message = "hello", level = "{level}" }}' for level in LEVELS]
    chains = pipeline(f'[chains]\n"c" = [ {", ".join(steps)}, {{ action = "log", message = "" }} ]')
    chains.feed(MESSAGE="x")
    assert [line.level for line in chains.logs] == [*LEVELS, "INFO"]
    numbers = [item.payload["level"] for item in chains.state.outbox.items("log")]
    assert numbers == [0, 1, 2, 3, 4, 5, 6, 7, 6]


def test_a_level_that_there_is_not(pipeline):
    with pytest.raises(ConfigError) as refused:
        pipeline('[chains]\n"c" = [ { action = "log", message = "", level = "WARN" } ]')
    said = str(refused.value)
    assert said.startswith('pyruse.toml: chains."c"[0].level: "WARN" is unknown (expected one of: ')
    assert all(level in said for level in LEVELS)
    assert said.endswith('did you mean "WARNING"?)')


CHAINS = """
[chains]
"first" = [ { filter = "exists", field = "x" }, { action = "discard" } ]
"second" = [
  { filter = "exists", field = "MESSAGE" },
  { action = "log", message = "{MESSAGE}!" },
]
"""


def test_a_line_says_which_step_wrote_it(pipeline):
    chains = pipeline(CHAINS)
    chains.feed(MESSAGE="hello")
    (item,) = chains.state.outbox.items("log")
    assert item.payload == {
        "message": "hello!",
        "level": 6,
        "fields": {"PYRUSE_CHAIN": "second", "PYRUSE_STEP": 'chains."second"[1]', "PYRUSE_HOPS": 1},
    }


def test_a_line_that_causes_a_line_comes_to_rest(pipeline):
    chains = pipeline(CHAINS)
    chains.feed(MESSAGE="round")
    for _ in range(20):
        for item in chains.state.outbox.items("log"):
            # As the journal gives it back: every field is text.
            fields = {name: str(value) for name, value in item.payload["fields"].items()}
            chains.state.outbox.sent(item.id)
            last = item.payload["message"]
            chains.feed(MESSAGE=last, SYSLOG_IDENTIFIER="pyruse", **fields)
    assert last == "round!!!!!"
    assert chains.logs == []


@pytest.mark.parametrize("hops", ["", "x", "-3", "9" * 400, "1.5", b"\xff", "\u0663"])
def test_hops_that_somebody_made_up_break_nothing(pipeline, hops):
    chains = pipeline(CHAINS)
    chains.feed(MESSAGE="hello", PYRUSE_HOPS=hops)
    assert [line.message for line in chains.logs] == ["hello!"]
    assert chains.faults == []


def test_a_message_is_kept_as_it_is(pipeline):
    """The journal takes anything in a field; what shows it makes it harmless."""
    chains = pipeline(CHAINS)
    chains.feed(MESSAGE="a\nb\x07\nPRIORITY=0")
    assert chains.logs[0].message == "a\nb\x07\nPRIORITY=0!"


def test_with_every_it_is_one_line_in_that_time(pipeline, clock):
    chains = pipeline("""
        [chains]
        "test" = [ { action = "log", message = "{n}", every = "10m" } ]
    """)
    for n in (1, 2, 3):
        chains.feed(n=n)
        clock.advance("1m")
    assert [line.message for line in chains.logs] == ["1", "3"]
