from datetime import timedelta

import pytest

from pyruse.errors import ConfigError


def test_five_failures_in_ten_minutes(pipeline, clock):
    chains = pipeline("""
        [chains]
        "ssh" = [
          { action = "count", counter = "ssh", key = "ip", within = "10m", into = "failures" },
          { filter = "at_least", field = "failures", value = 5 },
          { action = "ban", ip = "ip", duration = "1d" },
        ]
    """)
    for _ in range(4):
        chains.feed(ip="203.0.113.7")
        chains.feed(ip="203.0.113.8")
        clock.advance("2m")
    assert chains.bans == []
    chains.feed(ip="203.0.113.7")
    assert [ban.ip for ban in chains.bans] == ["203.0.113.7"]


@pytest.fixture
def counted(pipeline, clock):
    """``counted('within = "10s"')(at, ip=…)``: what the counter then holds."""

    def make(options):
        chains = pipeline(f"""
            [chains]
            "test" = [
              {{ action = "count", counter = "c", key = "ip", into = "n", {options} }},
              {{ action = "set", field = "went_on", value = "yes" }},
            ]
        """)
        start = clock.now

        def count(second, **fields):
            clock.now = start + timedelta(seconds=second)
            found = chains.feed(**{"ip": "192.0.2.7", **fields})
            assert found["went_on"]
            return found["n"]

        return count

    return make


def test_a_raise_counts_for_exactly_the_window(counted):
    count = counted('within = "10s"')
    assert [count(0), count(0), count(3)] == [1, 2, 3]
    assert count(9.999) == 4
    assert count(10) == 3  # neither of the first two any more
    assert count(12.999) == 4
    assert count(13) == 4
    assert count(1000) == 1


def test_without_a_window_for_ever(counted):
    count = counted("by = 1")
    assert [count(0), count(1), count(3_000_000)] == [1, 2, 3]


def test_entries_that_come_late(counted):
    count = counted('within = "10s"')
    assert [count(0), count(5), count(3)] == [1, 2, 3]
    assert count(9) == 4
    assert count(10.5) == 4  # the one of 0 is gone
    assert count(13) == 4  # so is that of 3, late or not
    assert count(12.5) == 5


def test_one_entry_may_count_more(counted):
    count = counted('within = "10s", by = 3')
    assert [count(0), count(5), count(10), count(20)] == [3, 6, 6, 3]


def test_each_key_has_a_counter(counted):
    count = counted("by = 1")
    assert [count(0), count(0, ip="192.0.2.8"), count(0)] == [1, 1, 2]


@pytest.mark.parametrize("value", ["", "a\nb", "x" * 10_000, 22, b"caf\xe9"])
def test_any_value_is_a_key(counted, value):
    count = counted("by = 1")
    assert [count(0, ip=value), count(0, ip="another"), count(0, ip=value)] == [1, 1, 2]


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("203.0.113.7", "203.0.113.7:51000"),
        ("203.0.113.7:51000", "203.0.113.7:51001"),
        ("203.0.113.7", "::ffff:203.0.113.7"),
        ("2001:db8::7", "2001:DB8:0::7"),
        ("[2001:db8::7]:1", "2001:db8::7"),
    ],
)
def test_an_address_counts_as_one_however_it_is_written(pipeline, one, other):
    chains = pipeline("""
        [chains]
        "gitea" = [
          { action = "count", counter = "gitea", key = "ip", into = "failures" },
          { action = "count", counter = "hosts", key = "user", distinct = "ip", into = "hosts" },
        ]
    """)
    chains.feed(user="root", ip=one)
    entry = chains.feed(user="root", ip=other)
    assert (entry["failures"], entry["hosts"]) == (2, 1)


def test_what_only_looks_like_an_address_is_a_key_of_its_own(pipeline):
    chains = pipeline("""
        [chains]
        "users" = [ { action = "count", counter = "users", key = "user", into = "number" } ]
    """)
    for user in ("a:1", "a:2", "[a]", "203.0.113.7:x", "203.0.113.7:99999", "#1", ""):
        assert chains.feed(user=user)["number"] == 1, user


BY_FIELD = """
[chains]
"repeated" = [
  { action = "count", counter = "c", key = "ip", by = "times", within = "10m", into = "n" },
]
"""


def test_a_field_says_how_much_an_entry_counts(pipeline):
    chains = pipeline(BY_FIELD)
    found = [
        chains.feed(ip="192.0.2.1", **fields)["n"]
        for fields in (
            {"times": "5"}, {}, {"times": 10}, {"times": 2.0}, {"times": "007"}, {"times": "0"},
        )
    ]  # fmt: skip
    assert found == [5, 6, 16, 18, 25, 25]
    assert chains.faults == []


@pytest.mark.parametrize("times", ["9" * 13, "9" * 5000, "1" + "0" * 12, 10**30, 1e300])
def test_what_is_very_much_counts_as_less(pipeline, times):
    chains = pipeline(BY_FIELD.replace('within = "10m", ', ""))
    assert chains.feed(ip="192.0.2.1", times=times)["n"] == 10**12
    assert chains.faults == []


def test_the_sum_of_much_can_be_kept(pipeline):
    chains = pipeline(BY_FIELD.replace('within = "10m", ', ""))
    counters = chains.engine.state.counters
    counters.count("c", "192.0.2.1", at=0, by=2**62 - 1)
    assert chains.feed(ip="192.0.2.1", times="9" * 20)["n"] == 2**62
    assert chains.feed(ip="192.0.2.1")["n"] == 2**62


@pytest.mark.parametrize(
    "times", ["", "many", "-1", -1, "1.5", 1.5, "٣", "1e3", "0x10", " 5", True]
)
def test_what_is_no_amount_is_told(pipeline, times):
    chains = pipeline(BY_FIELD)
    assert "n" not in chains.feed(ip="192.0.2.1", times=times)
    (fault,) = chains.faults
    assert fault.text == (
        f'action count: times = "{times}" cannot be counted (expected a whole number, 0 or more)'
    )
    assert chains.feed(ip="192.0.2.1")["n"] == 1


def test_a_counter_is_read_without_raising_it(pipeline, clock):
    chains = pipeline("""
        [chains]
        "read" = [
          { filter = "exists", field = "ask" },
          { action = "count", counter = "c", key = "ip", by = 0, into = "n" },
          { action = "count", counter = "u", key = "ip", distinct = "user", by = 0, into = "u" },
        ]
        "reset" = [
          { filter = "exists", field = "reset" },
          { action = "reset", counter = "c", key = "ip", grace = "1m" },
        ]
        "count" = [
          { action = "count", counter = "c", key = "ip", within = "10m" },
          { action = "count", counter = "u", key = "ip", distinct = "user", within = "10m" },
        ]
    """)
    ip = "192.0.2.1"

    def held():
        entry = chains.feed(ip=ip, ask="yes")
        return entry["n"], entry["u"]

    assert held() == held() == (0, 0)
    for user in ("a", "b", "a"):
        chains.feed(ip=ip, user=user)
    assert held() == held() == (3, 2)
    assert chains.feed(ip="192.0.2.2", ask="yes")["n"] == 0
    clock.advance("10m")
    assert held() == (0, 0)
    chains.feed(ip=ip, user="a")
    chains.feed(ip=ip, reset="yes")
    chains.feed(ip=ip, user="a")
    assert held() == (0, 1)
    assert chains.faults == []


def test_different_users(counted):
    count = counted('within = "10s", distinct = "user"')
    assert [count(0, user="root"), count(1, user="admin"), count(2, user="root")] == [1, 2, 2]
    assert count(10, user="bob") == 3  # root was seen again at 2
    assert count(11, user="bob") == 2  # admin is gone
    assert count(12, user="eve") == 2  # so is root
    assert count(13, user="eve", ip="192.0.2.8") == 1


def test_the_same_user_for_ever(counted):
    count = counted('distinct = "user"')
    assert [count(0, user="root"), count(1_000_000, user="root"), count(0, user="b")] == [1, 1, 2]


def test_steps_share_a_counter_by_its_name(pipeline):
    chains = pipeline("""
        [chains]
        "ssh" = [
          { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "sshd" },
          { action = "count", counter = "logins", key = "ip", into = "n" },
        ]
        "imap" = [
          { action = "count", counter = "logins", key = "rip", by = 10, into = "n" },
          { action = "count", counter = "others", key = "rip", into = "m" },
        ]
    """)
    assert chains.feed(SYSLOG_IDENTIFIER="sshd", ip="192.0.2.7")["n"] == 1
    assert chains.feed(SYSLOG_IDENTIFIER="dovecot", rip="192.0.2.7")["n"] == 11
    found = chains.feed(SYSLOG_IDENTIFIER="dovecot", rip="192.0.2.7")
    assert (found["n"], found["m"]) == (21, 2)


def test_without_into_no_field_is_set(pipeline):
    chains = pipeline('[chains]\nc = [ { action = "count", counter = "c", key = "ip" } ]')
    fields = chains.feed(ip="192.0.2.7", MESSAGE="hello")
    assert fields.keys() == {"ip", "MESSAGE", "__REALTIME_TIMESTAMP"}


@pytest.mark.parametrize("missing", ["ip", "user"])
def test_an_entry_without_the_field_ends_its_journey_here(pipeline, missing):
    chains = pipeline("""
        [chains]
        "test" = [
          { action = "count", counter = "c", key = "ip", distinct = "user" },
          { action = "log", message = "never said" },
        ]
        "next" = [ { action = "log", message = "nor this" } ]
    """)
    fields = {"ip": "192.0.2.7", "user": "root"}
    del fields[missing]
    for _ in range(2):
        chains.feed(**fields)
    assert chains.logs == []
    (fault,) = chains.faults
    assert (fault.place, fault.count) == ('chains."test"[0]', 2)
    assert fault.text == f"action count: the entry has no {missing} to count by"


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ("by = 0", "by = 0 counts nothing (expected into, for what the counter holds)"),
        ("by = -1", "by = -1 cannot be counted (expected 0 to 1000000)"),
        (
            'by = 2, distinct = "user"',
            "distinct counts values, by counts entries (expected one of the two)",
        ),
    ],
)
def test_faulty_options(pipeline, options, fault):
    with pytest.raises(ConfigError) as refused:
        pipeline(
            f'[chains]\n"c" = [ {{ action = "count", counter = "c", key = "ip", {options} }} ]'
        )
    assert str(refused.value) == f'pyruse.toml: chains."c"[0]: {fault}'


class TestNetworks:
    """Addresses are counted under their network, as `ban` bans and `reset` resets it."""

    CHAINS = """
        [chains]
        "login" = [
          { filter = "equals", field = "MESSAGE", value = "login" },
          { action = "reset", counter = "ssh", key = "ip", prefix6 = 64, into = "failures" },
          { action = "discard" },
        ]
        "ssh" = [
          { action = "count", counter = "ssh", key = "ip", prefix6 = 64, into = "failures" },
          { filter = "at_least", field = "failures", value = 3 },
          { action = "ban", ip = "ip", prefix6 = 64, duration = "1d" },
        ]
    """

    def test_an_attacker_with_a_new_address_for_each_attempt(self, pipeline):
        chains = pipeline(self.CHAINS)
        for last in ("1", "2:3", "ffff:1:2:3"):
            chains.feed(ip=f"2001:db8::{last}")
        chains.feed(ip="2001:db8:0:1::1")
        assert [ban.ip for ban in chains.bans] == ["2001:db8::/64"]

    def test_the_other_family_is_counted_by_address(self, pipeline):
        chains = pipeline(self.CHAINS)
        held = [
            chains.feed(ip=ip)["failures"]
            for ip in ("203.0.113.7", "203.0.113.8", "::ffff:203.0.113.7", "[203.0.113.7]")
        ]
        assert held == [1, 1, 2, 3]

    def test_the_network_is_reset(self, pipeline):
        chains = pipeline(self.CHAINS)
        chains.feed(ip="2001:db8::1")
        chains.feed(ip="2001:db8::2", MESSAGE="login")
        assert chains.feed(ip="2001:db8::3")["failures"] == 1

    def test_what_is_no_address_is_in_no_network(self, pipeline):
        chains = pipeline(self.CHAINS)
        chains.feed(ip="\x1b[2Jlocalhost")
        (fault,) = chains.faults
        assert fault.text == (
            r'action count: ip = "\x1b[2Jlocalhost" is in no network to count by (expected an '
            "address)"
        )
