def test_crashed_programs(pipeline):
    chains = pipeline("""
        [chains]
        "crashes" = [
          { filter = "exists", field = "COREDUMP_EXE" },
          { action = "report", section = "important", message = "{COREDUMP_EXE} crashed" },
        ]
    """)
    chains.feed(COREDUMP_EXE="/usr/bin/php", MESSAGE="Process 1234 (php) dumped core.")
    chains.feed(MESSAGE="Process 1234 (php) exited")
    assert [row.message for row in chains.report.important] == ["/usr/bin/php crashed"]


def test_whatever_its_value(passes):
    for value in ("", 0, False, b"", b"\xff\x00"):
        assert passes('filter = "exists", field = "thing"', thing=value)
    assert not passes('filter = "exists", field = "thing"', Thing="x")


def test_what_every_entry_has(passes):
    assert passes('filter = "exists", field = "__REALTIME_TIMESTAMP"')


def test_a_field_that_a_step_has_set(pipeline):
    chains = pipeline(r"""
        [chains]
        "first" = [
          { filter = "regex", pattern = 'from (?P<ip>\S+)' },
          { action = "set", field = "where", value = "{ip}" },
          { filter = "exists", field = "nowhere" },
        ]
        "second" = [
          { filter = "exists", field = "where" },
          { action = "log", message = "{ip}" },
        ]
    """)
    chains.feed(MESSAGE="from 192.0.2.7")
    chains.feed(MESSAGE="to 192.0.2.8")
    assert [line.message for line in chains.logs] == ["192.0.2.7"]
