"""What happened to bans, until plugins and the journal are told."""

from __future__ import annotations

from pyruse.api.bans import Ban
from pyruse.api.firewall import Target
from pyruse.state.ban_events import BanEvent
from pyruse.state.database import State

REASON = 'from ""list"": {"network":""} \\ \u00e9\u202e\n'


def banned(network: str, until: int | None = None) -> BanEvent:
    ban = Ban(network, "drop", 1_000, until, REASON, "", 1, Target("nftables", ports=(22,)))
    return BanEvent("ban", ban, hops=2)


def test_events_of_a_list_and_single_ones_are_told_in_their_order(tmp_path) -> None:
    path = str(tmp_path / "state.sqlite")
    events = [
        banned("192.0.2.0/24"),
        *(banned(f"198.51.100.{n}", 9_000) for n in range(200)),
        BanEvent("unban", banned("192.0.2.0/24").ban, "over"),
        *(banned(f"2001:db8::{n:x}") for n in range(200)),
    ]
    with State(path) as state:
        state.ban_events.wanted = True
        for some in (events[:150], events[150:]):
            for event in some:
                state.ban_events.add(event)
            state.commit()
        assert state.ban_events.take(100) == events[:100]
        state.commit()
    with State(path) as state:
        state.load()
        assert len(state.ban_events) == len(events) - 100
        assert state.ban_events.take(1_000) == events[100:]
