import pytest

from pyruse.errors import ConfigError


def test_a_program_is_told_who_it_was(pipeline):
    chains = pipeline("""
        [chains]
        "ssh" = [
          { action = "run", command = ["/usr/local/bin/tell", "--user={user}", "{ip}"] },
        ]
    """)
    chains.feed(user="root", ip="192.0.2.7")
    assert chains.commands == [["/usr/local/bin/tell", "--user=root", "192.0.2.7"]]


@pytest.mark.parametrize(
    "value",
    [
        "two words",
        "x; reboot",
        "$(reboot) `reboot` | reboot & > /etc/passwd",
        "'\"\\",
        "a\nb\tc",
        "--option",
        "{MESSAGE}",
        "*",
        "",
    ],
)
def test_whatever_a_field_holds_it_is_one_argument(pipeline, value):
    chains = pipeline('[chains]\n"c" = [ { action = "run", command = ["tell", "{x}", "<{x}>"] } ]')
    chains.feed(x=value)
    assert chains.commands == [["tell", value, f"<{value}>"]]


def test_a_missing_field_is_an_empty_argument(pipeline):
    chains = pipeline('[chains]\n"c" = [ { action = "run", command = ["tell", "{x}", "y"] } ]')
    chains.feed(MESSAGE="hello")
    assert chains.commands == [["tell", "", "y"]]


def test_in_the_order_of_the_entries(pipeline):
    chains = pipeline("""
        [chains]
        "test" = [
          { action = "run", command = ["first", "{n}"] },
          { action = "run", command = ["second", "{n}"], timeout = "1m" },
        ]
    """)
    for n in (1, 2):
        chains.feed(n=n)
    assert chains.commands == [["first", "1"], ["second", "1"], ["first", "2"], ["second", "2"]]
    assert [item.payload["timeout"] for item in chains.state.outbox.items("command")] == [
        30, 60, 30, 60,
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("command", "fault"),
    [
        ("[]", 'command names no program (expected ["/path/to/program", …])'),
        ('["", "x"]', 'command names no program (expected ["/path/to/program", …])'),
        (
            '["{SYSLOG_IDENTIFIER}", "x"]',
            'the program "{SYSLOG_IDENTIFIER}" would be chosen by the entry (expected a fixed '
            "program, fields in its arguments only)",
        ),
    ],
)
def test_the_program_itself_is_fixed(pipeline, command, fault):
    with pytest.raises(ConfigError) as refused:
        pipeline(f'[chains]\n"c" = [ {{ action = "run", command = {command} }} ]')
    assert str(refused.value) == f'pyruse.toml: chains."c"[0]: {fault}'


def test_a_command_line_for_a_shell_is_no_command(pipeline):
    with pytest.raises(ConfigError, match=r'chains\."c"\[0\]\.command: "tell \{ip\}" is '):
        pipeline('[chains]\n"c" = [ { action = "run", command = "tell {ip}" } ]')


def test_no_line_keeps_the_program_from_being_run(pipeline):
    """execve(2) takes neither a NUL nor an argument of 128 KiB."""
    chains = pipeline('[chains]\na = [{ action = "run", command = ["/bin/true", "{MESSAGE}"] }]')
    chains.feed(MESSAGE="a\0b")
    chains.feed(MESSAGE="\U0001f4a9" * 50_000)
    (_, short), (_, long) = chains.commands
    assert short == "a\\x00b"
    assert long.endswith("\U0001f4a9… (20000 more characters)")
    assert len(long.encode()) < 128 * 1024


def test_with_every_it_runs_at_most_once_in_that_time(pipeline, clock):
    chains = pipeline("""
        [chains]
        "test" = [ { action = "run", command = ["tell", "{n}"], every = "10m" } ]
    """)
    for n in (1, 2, 3):
        chains.feed(n=n)
        clock.advance("1m")
    assert [(run.command, run.count) for run in chains.programs] == [
        (["tell", "1"], 1),
        (["tell", "3"], 2),
    ]
