"""The configuration as text that people read."""

from __future__ import annotations

import textwrap
from collections.abc import Iterator
from typing import Any

import tomli_w

from pyruse.importers.outcome import Chain, Outcome, Step
from pyruse.importers.write_toml import comment_text, key_text, section_text, value_text

_WIDTH = 110


def to_toml(outcome: Outcome, source: str) -> str:
    """The text of the configuration file.

    :param outcome: the configuration.
    :param source: the folder that was imported.
    """
    blocks = ["\n".join(_header(outcome, source))]
    if outcome.use:
        blocks.append("\n".join([*_comments(outcome, "use"), f"use = {value_text(outcome.use)}"]))
    for name, section in outcome.settings.items():
        lines = list(section_text(name, section))
        blocks.append("\n".join([*_comments(outcome, name), *lines]))
    if outcome.chains:
        blocks.append("\n".join(["[chains]", *_chains(outcome.chains)]))
    return "\n\n".join(blocks) + "\n"


def _header(outcome: Outcome, source: str) -> Iterator[str]:
    yield f"# Imported from {comment_text(source)}."
    yield '# "pyruse check" tells whether it is complete, "pyruse replay" what it would have done.'
    if outcome.notes:
        yield "#"
        yield "# What to look at:"
        for note in outcome.notes:
            yield from textwrap.wrap(
                comment_text(note),
                _WIDTH,
                initial_indent="# - ",
                subsequent_indent="#   ",
                break_long_words=False,
                break_on_hyphens=False,
            )


def _comments(outcome: Outcome, name: str) -> list[str]:
    return [f"# {comment_text(line)}" for line in outcome.comments.get(name, [])]


def _chains(chains: list[Chain]) -> Iterator[str]:
    for chain in chains:
        if chain.comments:
            yield ""
            yield from (f"# {comment_text(line)}" for line in chain.comments)
        steps = [_step(step) for step in chain.steps]
        if len(steps) == 1 and len(steps[0]) < _WIDTH and "\n" not in steps[0]:
            yield f"{_quoted(chain.name)} = [ {steps[0]} ]"
            continue
        yield f"{_quoted(chain.name)} = ["
        yield from (f"  {step}," for step in steps)
        yield "]"


def _quoted(name: str) -> str:
    """A name of a chain, always in quotation marks."""
    return tomli_w.dumps({"_": name}).removeprefix("_ = ").removesuffix("\n")


def _step(step: Step) -> str:
    return (
        "{ " + ", ".join(f"{key_text(key)} = {_option(key, v)}" for key, v in step.items()) + " }"
    )


def _option(key: str, value: Any) -> str:
    if key == "pattern" and isinstance(value, list):
        lines = "".join(f"    {value_text(one, key)},\n" for one in value)
        return f"[\n{lines}  ]"
    return value_text(value, key)
