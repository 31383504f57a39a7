"""`recall`: what is not remembered, nobody can claim. See also test_remember.py."""

CHAINS = """
[chains]
"remember" = [
  { filter = "exists", field = "remember" },
  { action = "remember", name = "seen", key = "ip", value = "by {remember}", keep = "1h" },
]
"recall" = [
  { action = "recall", name = "seen", key = "ip", into = "SEEN" },
  { filter = "exists", field = "SEEN" },
  { action = "log", message = "{ip} was seen {SEEN}" },
]
"""


def test_whoever_sends_the_field_is_not_seen_by_that(pipeline):
    chains = pipeline(CHAINS)
    fields = chains.feed(ip="192.0.2.1", SEEN="by me")
    assert "SEEN" not in fields
    assert chains.logs == []
    chains.feed(ip="192.0.2.1", remember="ann")
    fields = chains.feed(ip="192.0.2.1", SEEN="by me")
    assert fields["SEEN"] == "by ann"


def test_other_memories_know_nothing_of_it(pipeline):
    chains = pipeline("""
        [chains]
        "c" = [
          { action = "remember", name = "one", key = "ip", value = "1", keep = "1h" },
          { action = "recall", name = "one", key = "ip", into = "one" },
          { action = "recall", name = "two", key = "ip", into = "two" },
          { action = "recall", key = "ip", into = "none" },
        ]
    """)
    fields = chains.feed(ip="192.0.2.1")
    assert {"one", "two", "none"} & set(fields) == {"one"}


def test_without_the_key_the_journey_ends(pipeline):
    chains = pipeline(CHAINS)
    chains.feed(MESSAGE="nobody", SEEN="by me")
    assert chains.logs == []
    assert [fault.text for fault in chains.faults] == [
        'action recall: the entry has no ip (expected it: the key is "{ip}")'
    ]
