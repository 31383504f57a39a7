"""Where an entry goes: every rule of linking, one by one, and all of them at random."""

from __future__ import annotations

import itertools
from collections.abc import Callable, Sequence
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyruse.api.traits import Traits
from pyruse.chains.link import Graph, jump_order, left_by_entries, link, main_sequence
from pyruse.chains.model import Chain, Step
from pyruse.chains.travel import journey, travel
from pyruse.entry.entry import Entry
from pyruse.errors import ConfigError

Way = Callable[..., list[str]]

# In these chains a filter named "F" passes when the entry has a field F; an action named "a" does
# nothing that matters.


def exists(name: str, **links: str) -> str:
    more = "".join(f', {link.rstrip("_")} = "{chain}"' for link, chain in links.items())
    return f'{{ filter = "exists", field = "{name}", name = "{name}"{more} }}'


def does(name: str, **links: str) -> str:
    more = "".join(f', {link} = "{chain}"' for link, chain in links.items())
    return f'{{ action = "set", field = "x", value = "", name = "{name}"{more} }}'


def discards(name: str) -> str:
    return f'{{ action = "discard", name = "{name}" }}'


def chain(name: str, *steps: str) -> str:
    return f'"{name}" = [ {", ".join(steps)} ]\n'


# ---- The main sequence


def test_chains_are_passed_in_the_order_of_the_file(way: Way) -> None:
    text = chain("b", exists("B")) + chain("a", exists("A")) + chain("c", exists("C"))
    assert way(text) == ["B", "A", "C"]


def test_a_filter_that_passes_goes_to_the_next_step(way: Way) -> None:
    assert way(chain("a", exists("A"), exists("B"), does("c")), A="", B="") == ["A", "B", "c"]


def test_a_filter_that_does_not_pass_leaves_the_chain(way: Way) -> None:
    text = chain("a", exists("A"), does("b")) + chain("c", does("d"))
    assert way(text) == ["A", "d"]


def test_an_action_goes_to_the_next_step(way: Way) -> None:
    assert way(chain("a", does("a"), does("b"), exists("C"))) == ["a", "b", "C"]


def test_an_action_at_the_end_of_a_chain_ends_the_journey(way: Way) -> None:
    text = chain("a", exists("A"), does("b")) + chain("c", does("d"))
    assert way(text, A="") == ["A", "b"]


def test_a_filter_that_passes_at_the_end_of_a_chain_leaves_it(way: Way) -> None:
    text = chain("a", does("a"), exists("B")) + chain("c", does("d"))
    assert way(text, B="") == way(text) == ["a", "B", "d"]


def test_an_empty_chain_is_passed_by(way: Way) -> None:
    text = chain("none") + chain("a", exists("A")) + chain("nothing") + chain("b", does("b"))
    assert way(text) == ["A", "b"]
    assert way(chain("none")) == []


def test_an_entry_that_no_action_takes_has_come_to_the_end(way: Way) -> None:
    assert way(chain("a", exists("A")) + chain("b", exists("B")), A="", B="") == ["A", "B"]


# ---- Jumps


def test_a_chain_that_is_jumped_to_is_reached_by_jumps_only(way: Way) -> None:
    text = chain("jump", does("j")) + chain("a", exists("A", then="jump")) + chain("b", does("b"))
    assert way(text, A="") == ["A", "j"]
    assert way(text) == ["A", "b"]


def test_then_and_else_name_the_chain_to_go_to(way: Way) -> None:
    text = (
        chain("a", exists("A", then="yes", else_="no"))
        + chain("yes", does("y")) + chain("no", does("n"))
    )  # fmt: skip
    assert way(text, A="") == ["A", "y"]
    assert way(text) == ["A", "n"]


def test_without_then_a_filter_with_else_goes_to_the_next_step(way: Way) -> None:
    text = chain("a", exists("A", else_="no"), does("b")) + chain("no", does("n"))
    assert way(text, A="") == ["A", "b"]
    assert way(text) == ["A", "n"]


def test_without_else_a_filter_with_then_goes_to_the_next_step(way: Way) -> None:
    text = (
        chain("a", exists("A", then="yes"), exists("B", then="yes"), does("c"))
        + chain("yes", does("y"))
    )  # fmt: skip
    assert way(text, A="") == ["A", "y"]
    assert way(text, B="") == ["A", "B", "y"]
    assert way(text) == ["A", "B", "c"]


def test_a_filter_with_then_at_the_end_of_a_chain_leaves_it_where_it_does_not_pass(
    way: Way,
) -> None:
    text = chain("a", exists("A", then="yes")) + chain("yes", does("y")) + chain("b", does("b"))
    assert way(text) == ["A", "b"]


def test_an_action_goes_where_then_says(way: Way) -> None:
    text = chain("a", does("a", then="jump"), does("never")) + chain("jump", does("j"))
    assert way(text) == ["a", "j"]


def test_leaving_a_jump_chain_goes_on_behind_the_main_chain_that_the_entry_was_last_in(
    way: Way,
) -> None:
    text = (
        chain("a", exists("A"), exists("A2", then="jump"), does("a3"))
        + chain("b", exists("B"), exists("B2", then="jump"))
        + chain("jump", exists("J"), exists("J2", then="deep"))
        + chain("deep", exists("D"))
        + chain("c", does("c"))
    )
    assert way(text, A="", A2="") == ["A", "A2", "J", "B", "c"]
    assert way(text, B="", B2="") == ["A", "B", "B2", "J", "c"]
    assert way(text, A="", A2="", J="", J2="", B="", B2="") == [
        "A", "A2", "J", "J2", "D", "B", "B2", "J", "J2", "D", "c",
    ]  # fmt: skip


def test_a_jump_chain_ends_the_journey_with_its_last_action(way: Way) -> None:
    text = chain("a", exists("A", then="jump")) + chain("jump", does("j")) + chain("b", does("b"))
    assert way(text, A="") == ["A", "j"]


def test_a_jump_to_an_empty_chain_leaves_it_at_once(way: Way) -> None:
    text = chain("a", does("a", then="none")) + chain("none") + chain("b", does("b"))
    assert way(text) == ["a", "b"]


# ---- Invert, final actions, faults


def test_invert_turns_a_filter_round(way: Way) -> None:
    inverted = exists("A", then="yes", else_="no").replace(" }", ", invert = true }")
    text = chain("a", inverted) + chain("yes", does("y")) + chain("no", does("n"))
    assert way(text, A="") == ["A", "n"]
    assert way(text) == ["A", "y"]


def test_a_final_action_ends_the_journey_in_the_middle_of_a_chain(way: Way) -> None:
    text = chain("a", does("a"), discards("end"), does("never")) + chain("b", does("b"))
    assert way(text) == ["a", "end"]


def test_a_final_action_goes_nowhere_whatever_then_says(way: Way) -> None:
    text = chain("a", '{ action = "discard", name = "end", then = "b" }') + chain("b", does("b"))
    assert way(text) == ["end"]


def test_a_filter_that_fails_has_not_passed(way: Way) -> None:
    broken = exists("broken", then="yes", else_="no")
    text = chain("a", broken) + chain("yes", does("y")) + chain("no", does("n"))
    assert way(text) == ["broken", "n"]
    assert way(chain("a", exists("broken"), does("b")) + chain("c", does("c"))) == ["broken", "c"]


def test_a_filter_that_fails_has_not_passed_inverted_or_not(way: Way) -> None:
    inverted = exists("broken", then="yes", else_="no").replace(" }", ", invert = true }")
    text = chain("a", inverted) + chain("yes", does("y")) + chain("no", does("n"))
    assert way(text) == ["broken", "n"]


def test_an_action_that_fails_ends_the_journey(way: Way) -> None:
    text = chain("a", does("broken"), does("b")) + chain("c", does("c"))
    assert way(text) == ["broken"]
    text = chain("a", does("broken", then="j")) + chain("j", does("j")) + chain("c", does("c"))
    assert way(text) == ["broken"]


# ---- Faulty links


def made(**jumps: Sequence[Sequence[str | None]]) -> dict[str, Chain]:
    """Chains of filters that jump: ``a=[["b", "c"]]`` is one with then = "b" and else = "c"."""
    return {
        name: Chain(name, [
            Step(name, index, "filter", "exists", None, then=then, otherwise=otherwise)
            for index, (then, otherwise) in enumerate(steps)
        ])
        for name, steps in jumps.items()
    }  # fmt: skip


def faults_of(**jumps: Sequence[Sequence[str | None]]) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        link(made(**jumps), lambda _: bool)
    return caught.value.faults


def test_a_jump_to_nowhere_is_a_fault() -> None:
    assert faults_of(first=[["secnd", None], [None, "x"]], second=[]) == [
        'chains."first"[0].then: there is no chain "secnd" (expected the name of a chain; did you '
        'mean "second"?)',
        'chains."first"[1].else: there is no chain "x" (expected the name of a chain)',
    ]


@pytest.mark.parametrize(
    ("jumps", "address", "loop"),
    [
        ({"a": [["a", None]]}, 'chains."a"[0].then', '"a" → "a"'),
        ({"a": [[None, "b"]], "b": [["a", None]]}, 'chains."a"[0].else', '"a" → "b" → "a"'),
        (
            {"z": [["y", None]], "y": [[None, None], ["x", "z"]], "x": []},
            'chains."z"[0].then', '"z" → "y" → "z"',
        ),
        (
            {"m": [["c", None]], "a": [["b", None]], "b": [["c", None]], "c": [["a", None]]},
            'chains."a"[0].then', '"a" → "b" → "c" → "a"',
        ),
    ],
)  # fmt: skip
def test_a_loop_is_a_fault_that_names_its_chains_in_the_order_of_jumps(
    jumps: dict[str, Any], address: str, loop: str
) -> None:
    assert faults_of(**jumps) == [
        f"{address}: entries would go round for ever: {loop} (expected a jump to another chain)"
    ]


def test_all_loops_are_told_at_once_together_with_jumps_to_nowhere() -> None:
    faults = faults_of(
        a=[["a", None]], b=[["c", None]], c=[["b", "d"]], d=[["e", None]], e=[["d", "nowhere"]]
    )
    assert [fault.partition(" (")[0].partition(": ")[2] for fault in faults] == [
        'there is no chain "nowhere"',
        'entries would go round for ever: "a" → "a"',
        'entries would go round for ever: "b" → "c" → "b"',
        'entries would go round for ever: "d" → "e" → "d"',
    ]


def test_a_chain_may_be_jumped_to_from_many_places() -> None:
    chains = made(a=[["c", "b"]], b=[["c", "c"]], c=[])
    assert jump_order(chains).index("c") == 0
    assert main_sequence(chains) == ["a"]


def test_chains_that_no_entry_leaves() -> None:
    final = Step("end", 0, "action", "discard", None)
    chains = made(a=[["end", "end"]], b=[["end", None]], none=[]) | {"end": Chain("end", [final])}
    assert left_by_entries(chains, jump_order(chains)) == {"b", "none"}


# ---- The size of the graph


class Binder:
    def __init__(self) -> None:
        self.bound: list[Step] = []

    def __call__(self, step: Step) -> Callable[[Entry], Any]:
        self.bound.append(step)
        return lambda _: True


def linked(chains: dict[str, Chain]) -> tuple[Graph, Binder]:
    binder = Binder()
    return link(chains, binder), binder


def length(graph: Graph) -> int:
    """The number of stations of an entry that passes everywhere."""
    node, count = graph.entrance, 0
    while node is not None:
        node, count = node.passed, count + 1
    return count


def test_chains_that_jump_to_the_same_ones_are_linked_once() -> None:
    # Thirteen chains, each of which goes to the next one by both its links: 8,191 ways through
    # them, which once made 8,191 instances.
    names = [f"c{index}" for index in range(13)]
    chains = made(
        c12=[[None, None]], **{name: [[after, after]] for name, after in itertools.pairwise(names)}
    )
    graph, binder = linked(chains)
    assert len(graph.nodes) == 13
    assert len(binder.bound) == 13


def test_the_graph_is_at_most_chains_times_main_chains_large() -> None:
    # Six main chains, each of which may go to each of seven jump chains, which may go to each
    # other, and all of which entries may leave: the worst that thirteen chains can do.
    jump = [f"j{index}" for index in range(7)]
    chains = made(
        **{f"m{index}": [[name, None] for name in jump] for index in range(6)},
        **{name: [[later, None] for later in jump[at + 1 :]] for at, name in enumerate(jump)},
    )
    graph, binder = linked(chains)
    steps = sum(len(chain.steps) for chain in chains.values())
    assert len(binder.bound) == len(set(binder.bound)) == steps == 6 * 7 + 21
    assert len(graph.nodes) == 6 * 7 + 6 * 21
    assert len({(name, after) for name in chains for after in range(6)}) <= 13 * 13


def test_a_chain_that_no_entry_leaves_is_linked_once_for_all_main_chains() -> None:
    end = Chain("end", [Step("end", 0, "action", "discard", None)])
    chains = made(**{f"m{index}": [["end", None]] for index in range(100)}) | {"end": end}
    graph, _ = linked(chains)
    assert len(graph.nodes) == 101


def test_ten_thousand_chains_are_linked() -> None:
    chains = made(**{f"c{index}": [[None, None]] for index in range(10_000)})
    graph, binder = linked(chains)
    assert len(graph.nodes) == len(binder.bound) == length(graph) == 10_000


def test_a_way_of_five_thousand_jumps_is_linked() -> None:
    jumps = {f"c{index}": [[f"c{index + 1}", None]] for index in range(5000)}
    graph, binder = linked(made(**jumps, c5000=[]))
    assert len(graph.nodes) == len(binder.bound) == length(graph) == 5000


def test_a_loop_of_five_thousand_chains_is_a_fault_all_the_same() -> None:
    jumps = {f"c{index}": [[f"c{(index + 1) % 5000}", None]] for index in range(5000)}
    (fault,) = faults_of(**jumps)
    assert fault == (
        'chains."c0"[0].then: entries would go round for ever: "c0" → "c1" → "c2" → "c3" → "c4" → '
        '… → "c4999" → "c0" (expected a jump to another chain)'
    )


# ---- All rules at random, against an interpreter that reads them one by one


class Plain:
    """An instance of a plugin: all that linking asks of it."""


class Final:
    """An action that ends the journey."""

    traits = Traits(final=True)


@st.composite
def acyclic_chains(draw: st.DrawFn) -> dict[str, Chain]:
    names = [f"c{index}" for index in range(draw(st.integers(1, 7)))]
    file_order = draw(st.permutations(names))
    chains: dict[str, Chain] = {}
    for name in file_order:
        # Jumps lead from lower numbers to higher ones: so there are no loops.
        target = st.none() | st.sampled_from([*names[names.index(name) + 1 :], None])
        steps = []
        for index in range(draw(st.integers(0, 4))):
            kind = draw(st.sampled_from(["filter", "filter", "action"]))
            is_filter = kind == "filter"
            final = not is_filter and draw(st.integers(0, 4)) == 0
            steps.append(
                Step(
                    name, index, "filter" if is_filter else "action", "plain",
                    Final() if final else Plain(),
                    then=draw(target), otherwise=draw(target) if is_filter else None,
                    invert=is_filter and draw(st.booleans()),
                )
            )  # fmt: skip
        chains[name] = Chain(name, steps)
    return chains


Outcome = bool | None  # what a step answers; None: it raises


def interpreted(chains: dict[str, Chain], outcomes: dict[Step, Outcome]) -> list[Step]:
    """The steps that an entry comes to, by the letter of the rules."""
    targets = {target for chain in chains.values() for step in chain.steps for target in step.jumps}
    visited: list[Step] = []
    for name in (name for name in chains if name not in targets):  # the main sequence
        here: str | None = name
        index = 0
        while here is not None and index < len(chains[here].steps):
            step = chains[here].steps[index]
            visited.append(step)
            answer = outcomes[step]
            if step.kind == "action":
                last = index == len(chains[here].steps) - 1
                if answer is None or step.final or (last and step.then is None):
                    return visited
                jump, goes_on = step.then, True
            elif answer is not None and answer != step.invert:  # passed
                jump, goes_on = step.then, True
            else:
                jump, goes_on = step.otherwise, step.then is not None
            if jump is not None:
                here, index = jump, 0
            elif goes_on:
                index += 1
            else:
                here = None  # the chain is left
    return visited


@settings(max_examples=400)
@given(acyclic_chains(), st.data())
def test_the_graph_leads_where_the_rules_lead(
    chains: dict[str, Chain], data: st.DataObject
) -> None:
    steps = [step for chain in chains.values() for step in chain.steps]
    answers = data.draw(
        st.lists(st.sampled_from([True, False, None]), min_size=len(steps), max_size=len(steps))
    )
    outcomes: dict[Step, Outcome] = dict(zip(steps, answers, strict=True))
    visited: list[Step] = []
    bound: list[Step] = []

    def bind(step: Step) -> Callable[[Entry], Any]:
        bound.append(step)

        def call(entry: Entry) -> Any:
            visited.append(step)
            if outcomes[step] is None:
                raise RuntimeError
            return outcomes[step]

        return call

    graph = link(chains, bind)
    faulty: list[Step] = []
    travel(graph.entrance, lambda node, *_: faulty.append(node.step)).lead(Entry(0))
    expected = interpreted(chains, outcomes)
    assert visited == expected
    assert faulty == [step for step in expected if outcomes[step] is None]
    assert [stop.node.step for stop in journey(graph.entrance, Entry(0))] == expected
    assert sorted(bound, key=steps.index) == steps  # each once
    assert len(graph.nodes) <= len(steps) * max(1, len(main_sequence(chains)))
