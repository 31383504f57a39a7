def test_what_is_not_interesting(pipeline):
    chains = pipeline("""
        [chains]
        "noise" = [
          { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "CRON" },
          { action = "discard" },
        ]
        "everything else" = [ { action = "report", section = "other", message = "{MESSAGE}" } ]
    """)
    chains.feed(SYSLOG_IDENTIFIER="CRON", MESSAGE="(root) CMD (run-parts /etc/cron.hourly)")
    chains.feed(SYSLOG_IDENTIFIER="su", MESSAGE="FAILED SU (to root) mallory on pts/0")
    assert [line.message for line in chains.report.other] == [
        "FAILED SU (to root) mallory on pts/0"
    ]
    assert chains.report.entries == 2


def test_it_is_the_end_wherever_it_stands(pipeline):
    chains = pipeline("""
        [chains]
        "first" = [
          { action = "log", message = "before" },
          { action = "discard" },
          { action = "log", message = "after" },
        ]
        "second" = [ { action = "log", message = "the next chain" } ]
    """)
    chains.feed(MESSAGE="hello")
    assert [line.message for line in chains.logs] == ["before"]


def test_a_chain_to_jump_to(pipeline):
    chains = pipeline("""
        [chains]
        "first" = [
          { filter = "exists", field = "boring", then = "discard" },
          { action = "log", message = "{MESSAGE} is not boring" },
        ]
        "discard" = [ { action = "discard" } ]
        "last" = [ { action = "log", message = "{MESSAGE} has come here" } ]
    """)
    chains.feed(MESSAGE="this", boring="yes")
    chains.feed(MESSAGE="that")
    assert [line.message for line in chains.logs] == ["that is not boring"]
