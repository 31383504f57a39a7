"""Labels of bans and names of counters that options name, compared with those that there are."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyruse.api.traits import traits_of
from pyruse.chains.model import Step
from pyruse.config.load import Configuration
from pyruse.config.values import addressed
from pyruse.errors import did_you_mean
from pyruse.options.names_elsewhere import BanLabel, CounterName
from pyruse.text import shown

_BY_HAND = ("manual", "import")
"""The labels that `pyruse ban` and `pyruse bans --import` give by themselves."""


def unknown_names(configuration: Configuration, rules: Iterable[str]) -> Iterator[str]:
    """Under which names nothing bans or counts, one line each: perhaps typing errors.

    :param configuration: has the options, and the chains.
    :param rules: the names of all rules that are installed: their bans and counters are called so,
        and one file may be for many machines, of which each has other services.
    """
    labels, counters = {*_BY_HAND, *configuration.extensions, *rules}, {*rules}
    for chain in configuration.all_chains().values():
        for step in chain.steps:
            labels.update(_label_of(step))
            counters.update(_counter_of(step))
    for address, label in addressed(configuration, BanLabel):
        if label not in labels:
            yield (
                f"{address}: no chain bans under the label {shown(str(label))} (expected that of a "
                f"chain or of rules, unless it comes from elsewhere{did_you_mean(label, labels)})"
            )
    for address, counter in addressed(configuration, CounterName):
        if counter not in counters:
            yield (
                f"{address}: no chain has the counter {shown(str(counter))} (expected that of a "
                f"step, or the name of rules{did_you_mean(counter, counters)})"
            )


def _label_of(step: Step) -> Iterator[str]:
    """Under which label a step bans, if it does."""
    if step.kind == "action" and traits_of(step.instance).accuses:
        label = getattr(step.instance, "label", None)
        yield label if isinstance(label, str) else step.chain


def _counter_of(step: Step) -> Iterator[str]:
    """Which counter a step is about, if it is about one."""
    counter = getattr(step.instance, "counter", None)
    if isinstance(counter, str):
        yield counter
