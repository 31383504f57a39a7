"""`forget` ends what `remember` began."""

CHAINS = """
[chains]
"start" = [
  { filter = "equals", field = "MESSAGE", value = "start" },
  { action = "remember", name = "sessions", key = "{_HOSTNAME} {_PID}", field = "user", keep = "1d" },
]
"stop" = [
  { filter = "equals", field = "MESSAGE", value = "stop" },
  { action = "forget", name = "sessions", key = "{_HOSTNAME} {_PID}" },
]
"work" = [ { action = "recall", name = "sessions", key = "{_HOSTNAME} {_PID}", into = "of" } ]
"""  # noqa: E501 -- a step is one line


def test_what_is_over_is_forgotten_and_nothing_else(pipeline):
    chains = pipeline(CHAINS)
    for host, pid, user in (("a", "7", "ann"), ("a", "8", "joe"), ("b", "7", "eve")):
        chains.feed(MESSAGE="start", _HOSTNAME=host, _PID=pid, user=user)
    for _ in range(2):  # what is not there is no fault
        chains.feed(MESSAGE="stop", _HOSTNAME="a", _PID="7")
    found = [
        chains.feed(MESSAGE="work", _HOSTNAME=host, _PID=pid).get("of")
        for host, pid in (("a", "7"), ("a", "8"), ("b", "7"))
    ]
    assert found == [None, "joe", "eve"]
    assert chains.remembered("sessions") == {"a 8": "joe", "b 7": "eve"}
    assert chains.faults == []
