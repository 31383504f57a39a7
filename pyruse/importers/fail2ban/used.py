"""Jails that become ``use``, and options of rules."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from pyruse.importers.fail2ban.covered import Cover
from pyruse.importers.fail2ban.jails import Jail
from pyruse.importers.fail2ban.recidive import OF_PYRUSE
from pyruse.importers.outcome import Chain, Outcome, equals

_MAILS = "mails of bans"
_ALL = ["1-65535"]


@dataclass
class Used:
    """The rules that are used instead of filters."""

    close_some: frozenset[str] = frozenset()
    """Rules that close some ports alone, unless they are told otherwise."""
    options: dict[str, dict[str, Any]] = field(default_factory=dict)
    jails: dict[str, list[Jail]] = field(default_factory=dict)

    def take(self, jail: Jail, cover: Cover) -> str | None:
        """Use rules in the place of a jail's filter.

        :return: why that cannot be: other jails give these rules other options.
        """
        if jail.spares:
            return "it spares addresses that other jails do not"
        before = self.options.get(cover.rules, {})
        own: dict[str, Any] = {
            "within": jail.find_time,
            "ban": list(jail.length.spans),
            **dict.fromkeys(cover.modes[jail.mode], jail.max_retry),
        }
        for name, value in own.items():
            if name in before and before[name] != value:
                other = self.jails[cover.rules][0].name
                return f"the rules {cover.rules} have another {name} already, by [{other}]"
        ports = list(jail.effects.closings[0].ports)
        known = before.get("ports", ports)
        # Whoever is banned is kept out of what any of the jails closes.
        both = sorted({*known, *ports}, key=_first) if known and ports else []
        self.options[cover.rules] = {**before, **own, "ports": both}
        self.jails.setdefault(cover.rules, []).append(jail)
        return None

    def _common(self) -> dict[str, Any]:
        """What is the same for all of several rules."""
        options = list(self.options.values())
        if len(options) < 2:
            return {}
        shared = ("within", "ban")
        return {
            key: options[0][key]
            for key in shared
            if all(o[key] == options[0][key] for o in options)
        }

    def put_into(self, outcome: Outcome) -> None:
        """Write what is used into a configuration."""
        if not self.options:
            return
        outcome.use = list(self.options)
        outcome.comments["use"] = [
            "Rules of Pyruse in the place of filters that are as they come with fail2ban.",
            "They also look at who has written a line. --faithful writes the filters instead.",
        ]
        common = self._common()
        if common:
            outcome.settings["rules"] = common
        for rules, options in self.options.items():
            section = f"rules.{rules}"
            kept = {key: v for key, v in options.items() if key not in (*common, "ports")}
            if ports := options["ports"] or (_ALL if rules in self.close_some else []):
                kept["ports"] = ports
            outcome.settings[section] = kept
            outcome.comments[section] = [
                f"[{jail.name}] of {jail.source}; filter.d/{jail.filter_name}.conf"
                for jail in self.jails[rules]
            ]
        labels: dict[Any, list[str]] = {}
        for rules, jails in self.jails.items():
            for jail in jails:
                for mail in jail.effects.mails:
                    names = labels.setdefault(mail, [])
                    if rules not in names:
                        names.append(rules)
        for number, (mail, names) in enumerate(labels.items(), 1):
            name = _MAILS if number == 1 else f"{_MAILS} {number}"
            steps = [
                *OF_PYRUSE,
                equals("PYRUSE_LABEL", names),
                mail.step("{PYRUSE_LABEL}: {PYRUSE_ADDRESS} is banned", "{MESSAGE}"),
                {"action": "continue"},
            ]
            outcome.chains.append(Chain(name, steps, ["A mail of each ban by these rules."]))


def _first(port: int | str) -> int:
    return int(str(port).partition("-")[0])
