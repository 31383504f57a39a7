"""Who delivers a parcel: the step, or the extension, that sent it, also after a reload."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from types import MappingProxyType

from msgspec import Struct

from pyruse.api.parcel import Parcel
from pyruse.state.outbox import Outbox
from pyruse.state.outbox_item import OutboxItem


class Receiver(Struct, frozen=True):
    """A step or an extension with the hook `deliver`."""

    kind: str
    """What its items have as their kind (see `parcel_kind`)."""
    plugin: str
    """Such as ``action webhook``."""
    place: str
    """Where it stands in the configuration; of several with the same options, the first one."""
    deliver: Callable[..., None]
    """The hook; takes ``parcel=…``."""


Receivers = Mapping[str, Receiver]
"""The receivers of a configuration, by their kinds."""

NO_RECEIVERS: Receivers = MappingProxyType({})


def find_heirs(outbox: Outbox, receivers: Receivers) -> dict[str, int]:
    """Give what waits for receivers that are gone to those that took their place.

    A receiver is found again by its plugin and its options, wherever its step has moved. Where
    the options were changed, what it has sent goes to the step that stands in its place, if that
    is of the same plugin, or else to the only receiver of the plugin. What is left waits for its
    plugin to come back.

    :return: how many parcels wait for each plugin that is gone.
    """
    by_place = {(one.plugin, one.place): one.kind for one in receivers.values()}
    by_plugin: dict[str, list[str]] = {}
    for one in receivers.values():
        by_plugin.setdefault(one.plugin, []).append(one.kind)

    def heir(item: OutboxItem) -> str | None:
        assert item.plugin is not None
        same = by_plugin.get(item.plugin, [])
        only = same[0] if len(same) == 1 else None
        return by_place.get((item.plugin, item.payload["step"]), only)

    lost: dict[str, int] = {}
    for kind in outbox.parcel_kinds():
        if kind not in receivers:
            outbox.readdress(kind, heir)
    for item in outbox.items():
        if item.plugin is not None and not item.refused and item.kind not in receivers:
            lost[item.plugin] = lost.get(item.plugin, 0) + 1
    return lost


def parcel_of(item: OutboxItem) -> Parcel:
    """The parcel as its plugin gets it."""
    payload = item.payload
    payloads = [json.loads(part) for part in payload["parts"]]
    return Parcel(item.id, payloads, payload["count"], item.created, item.attempts + 1)
