"""From what an observer sees to metrics. Names and units: https://prometheus.io/docs/practices/."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    InfoMetricFamily,
    Metric,
)
from prometheus_client.registry import Collector

from pyruse import Observer, UserError, __version__, one_line, shortened

_MOST = 100
"""Values of a label: those with the largest numbers are told apart, and the rest is summed up."""
_OTHERS = "(others)"
_LONGEST = 100
"""Characters of a label's value."""
_KINDS = ("mail", "command", "log")
_SECOND = 1e6  # in microseconds


class PyruseCollector(Collector):
    """Looks when it is asked, and only then."""

    def __init__(self, observer: Observer) -> None:
        self._observer = observer

    def collect(self) -> Iterator[Metric]:
        """All the metrics that there are to tell of at the moment."""
        build = {"version": __version__}
        yield InfoMetricFamily("pyruse_build", "The Pyruse that is running.", build)
        readable = "Whether the state could be read (1) or not (0)."
        try:
            status = self._observer.status()
            counters = self._observer.counters()
        except UserError:
            yield _gauge("state_readable", readable, 0)
            return
        yield _gauge("state_readable", readable, 1)
        yield from _journal(status["journal"])
        yield from _outbox(status["outbox"])
        yield from _bans(status["bans"])
        text = "Keys, such as addresses, for which a counter holds something."
        yield _gauges("counter_keys", text, "counter", counters)
        yield _faults(status["faults"])
        if status["last_report"] is not None:
            text = "When the last daily report was made."
            made = status["last_report"]["made"] / _SECOND
            yield _gauge("last_report_timestamp_seconds", text, made)
        if status["daemon"] is not None:
            yield from _daemon(status["daemon"])
            yield from _chains(status["daemon"]["chains"] or [])


def _daemon(daemon: Mapping[str, Any]) -> Iterator[Metric]:
    yield CounterMetricFamily(
        "pyruse_entries", "Entries handled since the start.", daemon["entries"]
    )
    text = "Whether Pyruse waits, for room on a disk for instance (1), or not (0)."
    yield _gauge("held_up", text, int(bool(daemon["held_up_by"])))


def _journal(journal: Mapping[str, Any]) -> Iterator[Metric]:
    text = "Whether the journal could be looked at (1) or not (0)."
    yield _gauge("journal_readable", text, int(journal["fault"] is None))
    if journal["behind"] is not None:
        text = "Entries that are not handled yet, 100000 at most."
        yield _gauge("journal_behind_entries", text, journal["behind"])
    if journal["lag_us"] is not None:
        text = "How much older the last entry handled is than the newest one."
        yield _gauge("journal_lag_seconds", text, journal["lag_us"] / _SECOND)
    if journal["last_handled"] is not None:
        text = "The time of the last entry handled."
        handled = journal["last_handled"] / _SECOND
        yield _gauge("journal_last_handled_timestamp_seconds", text, handled)


def _outbox(outbox: Mapping[str, Any]) -> Iterator[Metric]:
    none = dict.fromkeys(_KINDS, 0)  # so that there is a zero, and no gap
    text = "Mails, programs and log lines that are to leave Pyruse."
    yield _gauges("outbox_waiting_items", text, "kind", {**none, **outbox["waiting"]})
    text = "What can never leave Pyruse, since it was refused for good."
    refused = Counter(item["kind"] for item in outbox["set_aside"])
    yield _gauges("outbox_set_aside_items", text, "kind", {**none, **refused})


def _bans(bans: Mapping[str, Any]) -> Iterator[Metric]:
    yield _gauges("bans", "Bans in force.", "label", bans["by_label"])
    text = "Changes of bans that the firewall has not taken yet."
    yield _gauge("bans_unenforced", text, bans["unenforced"])


def _faults(faults: Iterable[Mapping[str, Any]]) -> Metric:
    """They are counted by day, of which there are two here: so the newest one counts.

    A counter may begin anew, and Prometheus takes it for what it is.
    """
    newest = max((fault["day"] for fault in faults), default="")
    by_place: Counter[str] = Counter()
    for fault in faults:
        by_place[fault["place"]] += fault["count"] if fault["day"] == newest else 0
    text = "Faults of steps, plugins and parts of Pyruse since the day of the newest one began."
    return _counters("faults", text, ["place"], _bounded(by_place))


def _chains(chains: Iterable[Mapping[str, Any]]) -> Iterator[Metric]:
    """What is counted where the configuration says ``[engine] counters = true``."""
    entries, matches, seen, passed, faults = (_Numbers() for _ in range(5))
    for chain in chains:
        name = _value(chain["chain"])
        entries[name,] += chain["entries"]
        actions = [step["seen"] for step in chain["steps"] if step["kind"] == "action"]
        if actions:  # else it only sorts entries, and has nothing to match
            matches[name,] += actions[0]
        for step in chain["steps"]:
            place = (name, str(step["index"]), _value(step["plugin"]))
            seen[place] += step["seen"]
            passed[place] += step["passed"]
            faults[place] += step["faults"]
    if not entries:
        return
    yield _counters("chain_entries", "Entries that came to a chain.", ["chain"], entries)
    text = "Entries that came to the first action of a chain."
    yield _counters("chain_matches", text, ["chain"], matches)
    step = ["chain", "step", "plugin"]
    yield _counters("step_entries", "Entries that came to a step.", step, seen)
    yield _counters("step_passes", "Entries that passed a step.", step, passed)
    yield _counters("step_faults", "Entries at which a step failed.", step, faults)


_Numbers = Counter[tuple[str, ...]]
"""By the values of the labels: two texts that are shown alike are one series, and not a fault."""


def _bounded(numbers: Mapping[str, int]) -> _Numbers:
    """A number for each value of a label, however many and whatever there are."""
    bounded = _Numbers()
    for rank, (text, number) in enumerate(sorted(numbers.items(), key=lambda item: -item[1])):
        bounded[_value(text) if rank < _MOST else _OTHERS,] += number
    return bounded


def _value(text: str) -> str:
    return shortened(one_line(text), _LONGEST)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(f"pyruse_{name}", text, value)


def _gauges(name: str, text: str, label: str, numbers: Mapping[str, int]) -> Metric:
    family = GaugeMetricFamily(f"pyruse_{name}", text, labels=[label])
    return _filled(family, _bounded(numbers))


def _counters(name: str, text: str, labels: list[str], numbers: _Numbers) -> Metric:
    return _filled(CounterMetricFamily(f"pyruse_{name}", text, labels=labels), numbers)


def _filled(family: CounterMetricFamily | GaugeMetricFamily, numbers: _Numbers) -> Metric:
    for values, number in sorted(numbers.items()):
        family.add_metric(values, number)
    return family
