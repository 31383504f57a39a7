def test_a_login_forgives_the_failures_before_it(pipeline):
    chains = pipeline("""
        [chains]
        "ssh" = [
          { filter = "equals", field = "MESSAGE", value = "failed", else = "logins" },
          { action = "count", counter = "ssh", key = "ip", into = "failures" },
          { filter = "at_least", field = "failures", value = 3 },
          { action = "ban", ip = "ip" },
        ]
        "logins" = [ { action = "reset", counter = "ssh", key = "ip" } ]
    """)
    for message in ("failed", "failed", "logged in", "failed", "failed"):
        chains.feed(MESSAGE=message, ip="203.0.113.7")
    assert chains.bans == []


CHAINS = """
[chains]
"failures" = [
  { filter = "equals", field = "MESSAGE", value = "failed" },
  { action = "count", counter = "ssh", key = "ip", within = "10m", into = "n" },
]
"logins" = [ { action = "reset", counter = "ssh", key = "ip", into = "n", grace = "1m" } ]
"""


def test_during_the_grace_no_count_rises(pipeline, clock):
    chains = pipeline(CHAINS)

    def failures(ip="192.0.2.7"):
        return chains.feed(MESSAGE="failed", ip=ip)["n"]

    assert [failures(), failures()] == [1, 2]
    assert chains.feed(MESSAGE="logged in", ip="192.0.2.7")["n"] == 0
    assert [failures(), failures("192.0.2.8")] == [0, 1]
    clock.advance("59s")
    assert failures() == 0
    clock.advance("1s")
    assert [failures(), failures()] == [1, 2]


def test_a_reset_without_grace_ends_a_grace(pipeline):
    chains = pipeline("""
        [chains]
        "in" = [
          { filter = "equals", field = "MESSAGE", value = "in" },
          { action = "reset", counter = "ssh", key = "ip", grace = "1m" },
        ]
        "out" = [
          { filter = "equals", field = "MESSAGE", value = "out" },
          { action = "reset", counter = "ssh", key = "ip" },
        ]
        "failures" = [ { action = "count", counter = "ssh", key = "ip", into = "n" } ]
    """)
    found = [
        chains.feed(MESSAGE=message, ip="192.0.2.7").get("n")
        for message in ("failed", "in", "failed", "out", "failed")
    ]
    assert found == [1, None, 0, None, 1]


def test_nothing_to_reset_is_fine(pipeline):
    chains = pipeline(CHAINS)
    assert chains.feed(MESSAGE="logged in", ip="192.0.2.7")["n"] == 0
    assert chains.faults == []


def test_an_entry_without_the_key_ends_its_journey_here(pipeline):
    chains = pipeline("""
        [chains]
        "test" = [
          { action = "reset", counter = "ssh", key = "ip" },
          { action = "log", message = "never said" },
        ]
    """)
    chains.feed(MESSAGE="logged in")
    assert chains.logs == []
    (fault,) = chains.faults
    assert fault.text == "action reset: the entry has no ip to count by"
