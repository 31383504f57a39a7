"""Chains that are only simulated: what they would do is shown, and not done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

import pytest
from msgspec.structs import replace

from pyruse import Entry, Traits, hookimpl
from pyruse.bans.views import all_bans, bans_in_force
from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import LIVE
from pyruse.entry.made import make_entry
from pyruse.errors import ConfigError
from pyruse.registry.files import PluginClass
from pyruse.registry.registry import Registry
from pyruse.state.database import State

SSH = """
[engine]
simulate = {simulate}
[email]
to = ["root"]
[bans]
backend = "command"
[bans.command]
ban = ["/bin/true", "{{ip}}"]
unban = ["/bin/true", "{{ip}}"]
[chains]
"ssh" = [
  {{ filter = "regex", pattern = '^from (?P<ip>\\S+)$' }},
  {{ action = "count", counter = "ssh", key = "ip", into = "n" }},
  {{ action = "ban", ip = "ip", escalate = ["1h", "2h"] }},
  {{ action = "email", message = "{{ip}}" }},
  {{ action = "run", command = ["/bin/true", "{{ip}}"] }},
  {{ action = "log", message = "{{ip}}" }},
  {{ action = "report", section = "important", message = "{{ip}} for the {{n}}th time" }},
]
"mail" = [
  {{ filter = "regex", pattern = '^mail (?P<ip>\\S+)$' }},
  {{ action = "ban", ip = "ip", duration = "1h" }},
]
"mail again" = [
  {{ filter = "regex", pattern = '^again (?P<ip>\\S+)$' }},
  {{ action = "unban", ip = "ip" }},
]
"""


def shown(flow):
    assert flow.enforce() == []
    flow.state.commit()
    found = bans_in_force(flow.state.db, flow.clock.us)
    return [(one.ban.network, one.state) for one in found]


def test_what_it_would_do_is_shown_and_not_done(pipeline):
    flow = pipeline(SSH.format(simulate='["ssh"]'))
    for _ in range(2):
        flow.feed(MESSAGE="from 203.0.113.7")
    flow.feed(MESSAGE="mail 203.0.113.8")
    assert (flow.emails, flow.commands, flow.logs) == ([], [], [])
    assert [(row.message, row.count) for row in flow.report.interesting] == [
        (f'simulated: chains."ssh"[{step}] would have {what}', 2)
        for step, what in ((3, "sent a mail"), (4, "run a program"), (5, "written to the journal"))
    ]
    assert [row.message for row in flow.report.important] == [
        "203.0.113.7 for the 1th time",
        "203.0.113.7 for the 2th time",
    ]
    assert shown(flow) == [
        ("203.0.113.7", "simulated, not in force"),
        ("203.0.113.8", "in force"),
    ]
    (table,) = [table for table in flow.report.summaries if table.title == "Bans"]
    assert [[row[0], row[2]] for row in table.rows] == [
        ["203.0.113.7", "ssh (simulated)"],
        ["203.0.113.8", "mail"],
    ]


def test_a_simulated_ban_ends_and_escalates_by_itself(pipeline):
    flow = pipeline(SSH.format(simulate='["ssh"]'))
    flow.feed(MESSAGE="from 203.0.113.7")
    flow.clock.advance("90m")
    flow.feed(MESSAGE="from 203.0.113.7")
    assert [ban.duration for ban in flow.bans] == [3600, 7200]
    flow.feed(MESSAGE="mail 203.0.113.7")
    assert sorted(shown(flow)) == [
        ("203.0.113.7", "in force"),
        ("203.0.113.7", "simulated, not in force"),
    ]


def test_a_name_stands_for_the_chains_that_begin_with_it_and_none_lifts_a_real_ban(pipeline):
    flow = pipeline(SSH.format(simulate='["mail"]'))
    flow.feed(MESSAGE="from 203.0.113.7")
    flow.feed(MESSAGE="mail 203.0.113.7")
    flow.feed(MESSAGE="again 203.0.113.7")
    assert shown(flow) == [("203.0.113.7", "in force")]


def test_nobody_is_told_of_simulated_bans(pipeline):
    told = []

    class Listener:
        """Hear of bans."""

        @hookimpl
        def on_ban(self, ban):
            told.append(ban.network)

    flow = pipeline(SSH.format(simulate='["ssh"]'), plugins=[Listener])
    flow.feed(MESSAGE="from 203.0.113.7")
    flow.feed(MESSAGE="mail 203.0.113.8")
    assert told == ["203.0.113.8"]
    assert len(flow.state.ban_events) == 0


@dataclass
class Outside:
    """Touch the world."""

    traits: ClassVar[Traits] = Traits(outside_effects=True)

    @hookimpl
    def act_on_entry(self, entry: Entry) -> None:
        raise AssertionError("it is not to be called")


def test_a_step_that_acts_by_itself_is_not_called():
    """Not even by the daemon, which calls it elsewhere."""
    toml = """
        [engine]
        simulate = ["a"]
        [chains]
        "a" = [ { action = "outside" } ]
    """
    configuration = configure(from_text(toml), Registry(PluginClass(Outside)))
    with State() as state:
        mode = replace(LIVE, own=set)
        engine = assemble(configuration, state, Faults(lambda *_: None), mode)
        engine.handle([make_entry({"MESSAGE": "x"}, engine.decoder, time_us=1_773_489_600_000_000)])
        state.commit()
        (row,) = engine.report().interesting
    assert row.message == 'simulated: chains."a"[0] would have acted by itself'


def test_a_chain_that_is_not_there(pipeline):
    with pytest.raises(ConfigError) as refused:
        pipeline(SSH.format(simulate='["ssh", "mial"]'))
    assert refused.value.faults == [
        'pyruse.toml: engine.simulate[1]: there is no chain "mial" (expected the name of a chain; '
        'did you mean "mail"?)'
    ]


def test_chains_that_are_real_by_now_begin_anew(pipeline, tmp_path):
    state = tmp_path / "state.sqlite"
    first = pipeline(SSH.format(simulate='["ssh"]'), state=state)
    first.feed(MESSAGE="from 203.0.113.7")
    first.state.commit()
    second = pipeline(SSH.format(simulate="[]"), state=state)
    second.state.load()
    assert shown(second) == []
    assert [one.state for one in all_bans(second.state.db, second.clock.us)] == ["unbanned"]
    second.feed(MESSAGE="from 203.0.113.7")
    assert shown(second) == [("203.0.113.7", "in force")]
