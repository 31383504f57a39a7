"""The labels of bans that options name, compared with those that bans have."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from pyruse.api.traits import traits_of
from pyruse.chains.model import Step
from pyruse.config.load import Configuration
from pyruse.config.values import addressed
from pyruse.errors import did_you_mean
from pyruse.options.ban_label import BanLabel
from pyruse.text import shown

_BY_HAND = ("manual", "import")
"""Those that `pyruse ban` and `pyruse bans --import` give by themselves."""


def label_doubts(configuration: Configuration, rules: Iterable[str]) -> Iterator[str]:
    """Which labels nothing bans under, one line each: perhaps typing errors.

    :param configuration: has the options, and the chains.
    :param rules: the names of all rules that are installed: their bans are called so, and one file
        may be for many machines, of which each has other services.
    """
    known = {*_BY_HAND, *configuration.extensions, *rules}
    for chain in configuration.all_chains().values():
        known.update(label for step in chain.steps if (label := _label_of(step)) is not None)
    for address, label in addressed(configuration, BanLabel):
        if label not in known:
            yield (
                f"{address}: no chain bans under the label {shown(str(label))} (expected that of a "
                f"chain or of rules, unless it comes from elsewhere{did_you_mean(label, known)})"
            )


def _label_of(step: Step) -> str | None:
    """Under which label a step bans; None: it bans nobody."""
    if step.kind != "action" or not traits_of(step.instance).accuses:
        return None
    label = getattr(step.instance, "label", None)
    return label if isinstance(label, str) else step.chain
