"""The action ``report``."""

from __future__ import annotations

from dataclasses import dataclass

from pyruse import Context, Details, Entry, Reported, Section, Template, hookimpl


@dataclass(eq=False, repr=False)
class ReportEvent:
    """Put an event into the daily report.

    The sections `important` and `interesting` have a row for each different message, with how often
    it came and when; the section `other` lists every event in order of time. `details` says which
    times a row shows: ALL, NONE, the FIRST, the LAST, or both (FIRSTLAST, which shows all where
    there are fewer than two). Events of one message with different `details` share a row.

    Rows are grouped by kind: a message with words of its own, such as `{user} became root`, is a
    kind; where it has fields only, such as `{MESSAGE}`, it is the text of the entry, with its
    numbers, addresses and the like masked, of this program.

    ```toml
    { action = "report", section = "important", message = "{user} became root", details = "FIRSTLAST" }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    section: Section
    """`important`, `interesting` or `other`."""
    message: Template
    """What the report says."""
    details: Details = "ALL"
    """Which times the row shows: `ALL`, `NONE`, `FIRST`, `LAST` or `FIRSTLAST`."""

    weight: int | None = None
    """How much an important event deserves attention, from 1 to 100 (see [the report](report.md)):
    by it, the first screen of the report is ordered. 0: it is not there. By default, as much as the
    event that the entry means, else 50."""

    def __post_init__(self) -> None:
        if self.weight is not None and not 0 <= self.weight <= 100:
            raise ValueError(f"weight = {self.weight} is no weight (expected 0 to 100)")
        template = self.message.text if self.message.has_words else None
        text = "MESSAGE" if template is None and "MESSAGE" in self.message.fields else None
        self._reported = Reported(
            self.section, self.message, self.details, template, text, self.weight
        )

    @hookimpl
    def reported(self) -> Reported:
        return self._reported

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        said = self._reported
        context.report(
            entry,
            said.section,
            said.message.render(entry),
            said.details,
            template=said.template,
            text=None if said.text is None else entry.text(said.text),
            weight=said.weight,
        )
