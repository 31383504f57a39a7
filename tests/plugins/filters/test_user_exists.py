import pwd
from types import SimpleNamespace

import pytest

from pyruse_plugins.filters import user_exists


def test_attackers_who_know_a_name(pipeline):
    chains = pipeline("""
        [chains]
        "ssh" = [
          { filter = "user_exists", field = "user" },
          { action = "report", section = "important", message = "somebody tries to be {user}" },
        ]
    """)
    for user in ("root", "admin-of-nothing", "nobody"):
        chains.feed(user=user)
    assert [row.message for row in chains.report.important] == [
        "somebody tries to be nobody",
        "somebody tries to be root",
    ]


@pytest.mark.parametrize(
    "value", ["", "ro\0ot", "root\0", "no such user", "0", 0, "x" * 100_000, "\udcff", b"\xff"]
)
def test_what_is_nobodys_name(passes, value):
    assert not passes('filter = "user_exists", field = "user"', user=value)


def test_a_missing_field_is_nobody(passes):
    assert not passes('filter = "user_exists", field = "user"')


@pytest.fixture
def lookups(monkeypatch):
    """The names that the system is asked for; there is a user called alice."""
    asked = []

    def getpwnam(name):
        asked.append(name)
        if name != "alice":
            raise KeyError(name)

    monkeypatch.setattr(user_exists, "pwd", SimpleNamespace(getpwnam=getpwnam))
    assert pwd.getpwnam("root")
    return asked


CHAIN = """
[chains]
"test" = [
  { filter = "user_exists", field = "user" },
  { action = "set", field = "known", value = "yes" },
]
"""


def test_answers_are_remembered_for_a_minute(pipeline, lookups, monkeypatch):
    now = 1000.0
    monkeypatch.setattr(user_exists, "monotonic", lambda: now)
    chains = pipeline(CHAIN)
    for _ in range(100):
        assert "known" in chains.feed(user="alice")
        assert "known" not in chains.feed(user="mallory")
    assert lookups == ["alice", "mallory"]
    now += 61
    chains.feed(user="alice")
    assert lookups == ["alice", "mallory", "alice"]
    assert list(chains.engine.graph.entrance.step.instance._answers) == ["alice"]


def test_names_without_end_take_no_memory_without_end(pipeline, lookups, monkeypatch):
    monkeypatch.setattr(user_exists, "_MOST", 10)
    chains = pipeline(CHAIN)
    filter_ = chains.engine.graph.entrance.step.instance
    for number in range(25):
        chains.feed(user=f"guess{number}")
    assert len(lookups) == 25
    assert len(filter_._answers) <= 10


def test_a_name_that_is_too_long_for_a_user_is_neither_looked_up_nor_kept(pipeline):
    chains = pipeline('[chains]\na = [{ filter = "user_exists", field = "user" }]')
    chains.feed(user="r" * 1_000_000)
    assert chains.engine.graph.entrance.step.instance._answers == {}
