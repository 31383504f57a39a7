"""Values that no state can keep cost the entry alone: the engine goes on, and commits."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from ipaddress import ip_address
from typing import Any, ClassVar

import pytest

from pyruse import BanRequest, Context, Duration, Entry, Mail, Program, Target, hookimpl
from pyruse.testing.pipeline import MakePipeline

A = ip_address("203.0.113.7")
HALF = "\ud800"
HOUR = Duration(hours=1)


class Hand:
    """An action that does what a test says."""

    do: ClassVar[Callable[[Entry, Any], object]]

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        Hand.do(entry, context)


CONFIG = """
[bans]
never = ["198.51.100.0/24"]
[chains]
"a" = [ { action = "hand" } ]
"""


def at_work(pipeline: MakePipeline, do: Callable[[Entry, Any], object]) -> Any:
    Hand.do = staticmethod(do)
    chains = pipeline(CONFIG, plugins=Hand)
    chains.feed(MESSAGE="hello")
    chains.state.commit()
    return chains


def banned(**values: Any) -> Callable[[Entry, Any], object]:
    return lambda entry, context: context.ban(entry, BanRequest(A, **values))


REFUSED: dict[str, tuple[Callable[[Entry, Any], object], str]] = {
    "too-long": (banned(durations=(Duration(days=999999999),)), "less than 1e10 s"),
    "9000-years": (banned(durations=(Duration(days=365 * 9000),)), "less than 1e10 s"),
    "zero": (banned(durations=(Duration(0),)), "more than 0"),
    "negative": (banned(durations=(Duration(-1),)), "more than 0"),
    "timedelta": (banned(durations=(timedelta(1),)), "expected a Duration"),
    "none": (banned(durations=()), "expected one or more"),
    "forget": (banned(forget=5), "5 is no duration"),
    "target": (banned(target="nftables"), "expected one of ban_target"),
    "firewall": (banned(target=Target("nowhere")), "nowhere"),
    "prefix4": (banned(prefix4="24"), "expected 0 to 32"),
    "prefix6": (banned(prefix6=129), "expected 0 to 128"),
    "label": (banned(label="x" * 201), "expected 200 at most"),
    "label-number": (banned(label=5), "5 is no text"),
    "address": (lambda e, c: c.ban(e, BanRequest("203.0.113.7")), "is no address"),  # type: ignore[arg-type]
    "table": (lambda e, c: c.table(HALF), "is no name of a table"),
    "key": (lambda e, c: c.table("t").put(HALF, 1), "is no key of a table"),
    "until": (lambda e, c: c.table("t").put("k", 1, until=2**70), "until is no instant"),
    "command": (lambda e, c: c.run(e, Program("/bin/touch x")), "command is one text"),
    "no-command": (lambda e, c: c.run(e, Program([])), "command is empty"),
    "to": (lambda e, c: c.mail(e, Mail("a", "t", to="ops@example.org")), "to is one text"),
    "every": (
        lambda e, c: c.mail(e, Mail("a", "t", every=Duration(days=999999999))), "less than 1e10 s"
    ),
    "timeout": (lambda e, c: c.run(e, Program(["x"], Duration(0))), "more than 0"),
}  # fmt: skip


@pytest.mark.parametrize("name", REFUSED)
def test_what_cannot_be_kept_is_refused_in_the_call(pipeline: MakePipeline, name: str) -> None:
    do, text = REFUSED[name]
    chains = at_work(pipeline, do)
    assert [text in fault.text for fault in chains.faults] == [True], chains.faults
    assert (chains.bans, chains.emails, chains.commands) == ([], [], [])


def test_halves_of_characters_become_question_marks(pipeline: MakePipeline) -> None:
    def do(entry: Entry, context: Context) -> None:
        context.ban(entry, BanRequest(A, [HOUR], label=f"a{HALF}", reason=f"b{HALF}"))
        context.mail(entry, Mail("a", "t", to=[f"{HALF}@x"]))

    chains = at_work(pipeline, do)
    assert chains.faults == []
    assert [ban.label for ban in chains.bans] == ["a?"]
    assert [list(mail.to) for mail in chains.emails] == [["?@x"]]


@pytest.mark.parametrize("text", ["::ffff:198.51.100.9", "::ffff:127.0.0.1"])
def test_addresses_of_ipv4_in_ipv6_are_spared(pipeline: MakePipeline, text: str) -> None:
    why = []

    def do(entry: Entry, context: Context) -> None:
        why.append(context.spared(ip_address(text)))
        assert not context.ban(entry, BanRequest(ip_address(text), [HOUR], prefix6=64))

    chains = at_work(pipeline, do)
    assert (chains.faults, chains.bans) == ([], [])
    assert why[0] is not None


def test_an_address_of_ipv4_in_ipv6_is_banned_and_unbanned_as_the_one_of_ipv4(
    pipeline: MakePipeline,
) -> None:
    def do(entry: Entry, context: Context) -> None:
        mapped = ip_address(f"::ffff:{A}")
        assert context.ban(entry, BanRequest(mapped, [HOUR]))
        assert not context.ban(entry, BanRequest(A, [HOUR]))
        assert context.unban(entry, mapped)

    assert at_work(pipeline, do).faults == []
