"""Texts that differ in a name alone are one; what differs in what it says is not."""

from __future__ import annotations

import random

from pyruse.kinds.merging import Template, merged, shown_as


def together(*templates: str) -> set[str]:
    return set(merged(templates).values())


def test_many_words_at_one_place_are_values() -> None:
    names = ["root", "bob", "eve", "uucp", "git"]
    assert together(*(f"Failed password for {name} from *" for name in names)) == {
        "Failed password for * from *"
    }
    assert len(together(*(f"Failed password for {name} from *" for name in names[:4]))) == 4


def test_after_some_words_there_is_a_name() -> None:
    assert together("session closed for user bob", "session closed for user eve") == {
        "session closed for user *"
    }


def test_few_words_say_different_things() -> None:
    states = {f"Captive: interface {word}" for word in ("up", "down", "failed", "idle")}
    assert together(*states) == states


def test_the_first_word_is_no_value() -> None:
    started = {f"{name} startup succeeded" for name in "abcdefgh"}
    assert together(*started) == started


def test_values_of_keys_are_found_by_their_key() -> None:
    users = [f"failure; rhost=* user={name}" for name in ("root", "bob", "eve", "uucp", "git")]
    assert together(*users) == {"failure; rhost=* user=*"}
    assert len(together(*users[:3])) == 3


def test_two_places_at_once() -> None:
    pairs = [f"mail from {a} to {b} sent" for a in "vwxyz" for b in "abcde"]
    assert together(*pairs) == {"mail from * to * sent"}


def test_the_order_does_not_matter() -> None:
    words = [f"job {a} of {b} ended with {c}" for a in "abcdef" for b in "uvwxyz" for c in "12"]
    expected = dict(merged(words))
    for seed in range(5):
        random.Random(seed).shuffle(words)
        assert dict(merged(words)) == expected


def test_messages_of_one_id_are_one_whatever_they_say() -> None:
    shown = shown_as(
        [
            Template(3, "systemd", "Started Daily apt upgrade", "m" * 32),
            Template(2, "systemd", "Started Rotate log files", "m" * 32),
            Template(5, "systemd", "Started Rotate log files"),
            Template(9, "other", "Started Rotate log files", "m" * 32),
        ]
    )
    assert shown[3] == shown[2] == (2, "Started *")
    assert shown[5] == (5, "Started Rotate log files")
    assert shown[9].id == 9


def test_what_is_common_does_not_overlap() -> None:
    shown = shown_as(
        [Template(1, "", "a b a b", "m"), Template(2, "", "a b", "m"), Template(3, "", "a b", "m")]
    )
    assert {one.text for one in shown.values()} == {"a b *"}


def test_thousands_of_templates_take_no_time_to_speak_of() -> None:
    random_ = random.Random(1)
    words = ["".join(random_.choices("abcdefgh", k=6)) for _ in range(500)]
    texts = {" ".join(random_.choices(words, k=12)) for _ in range(3_000)}
    assert len(set(merged(texts).values())) == len(texts)
