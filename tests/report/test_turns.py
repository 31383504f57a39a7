from pyruse.report.turns import in_turn


def test_who_has_much_waits_for_the_others() -> None:
    ones = ["a1", "a2", "a3", "b1", "a4", "a5", "c1"]
    assert in_turn(ones, lambda one: one[0], 2) == ["a1", "a2", "b1", "c1", "a3", "a4", "a5"]
    assert in_turn(ones, lambda one: one, 1) == ones
    assert in_turn([], lambda one: one, 1) == []
