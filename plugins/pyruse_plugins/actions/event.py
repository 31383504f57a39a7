"""The action ``event``."""

from __future__ import annotations

from dataclasses import dataclass, field

from pyruse import (
    EVENTS,
    Context,
    Entry,
    Field,
    NewField,
    Tallied,
    Template,
    did_you_mean,
    hookimpl,
    shown,
)


@dataclass(eq=False, repr=False)
class Event:
    """Say what the entry means: an event of the vocabulary, such as `login failed`.

    The event is counted by day, for the summaries of the report, by the fields that belong to it
    (see [events](events.md)), as far as the entry has them at this point. Later steps
    find its name in the field `meaning`, and the service in `service`. Then the entry goes on; the
    chain `everything else` does not take it any more.

    An event that the vocabulary does not have says itself by which fields it is counted.

    ```toml
    { action = "event", name = "login failed", service = "ssh", then = "guessing" }
    { action = "event", name = "door opened", fields = ["door", "user"] }
    ```
    """

    name: str
    """What has happened."""
    service: Template | None = None
    """The service that it happened to; without it, what the field `service` says."""
    fields: list[Field] | None = None
    """By which fields the event is counted apart, for events that the vocabulary does not have."""
    sets: tuple[NewField, ...] = field(
        init=False, repr=False, default=(NewField("meaning"), NewField("service"))
    )

    def __post_init__(self) -> None:
        kind = EVENTS.get(self.name)
        if kind is None and self.fields is None:
            raise ValueError(
                f"{shown(self.name)} is no event (expected one of the vocabulary"
                f"{did_you_mean(self.name, EVENTS)}, or fields = […] that it is counted by)"
            )
        if kind is not None and self.fields is not None:
            raise ValueError(
                f"{shown(self.name)} has its fields from the vocabulary (expected no fields, or "
                "another name)"
            )
        names = kind.fields if kind is not None else tuple(self.fields or ())
        amount = None if kind is None else kind.amount
        says: dict[str, str | Template] = {"meaning": self.name}
        if self.service is not None:
            says["service"] = self.service if self.service.fields else self.service.render({})
        self._tallied = Tallied(self.name, ("service", *names), amount, says)

    @hookimpl
    def tallied(self) -> Tallied:
        return self._tallied

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        event, names, amount_field, says = self._tallied
        for name, value in says.items():
            entry[name] = value if isinstance(value, str) else value.render(entry)
        fields = entry.texts(names)
        amount = 0
        if amount_field is not None:
            text = entry.texts([amount_field]).get(amount_field, "")
            amount = int(text) if text.isdecimal() and len(text) < 16 else 0
        context.tally(entry, event, fields, amount)
