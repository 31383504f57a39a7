"""Lines that belong together: what one of them tells, the others know, too.

fail2ban calls them by ``<F-MLFID>``. A line that is no failure by itself (``<F-NOFAIL>``) may tell
the address; a failure without an address waits for it; whoever logs in (``<F-MLFGAINED>``) is
forgiven, unless several users were tried; ``<F-MLFFORGET>`` ends the session.
"""

from __future__ import annotations

from collections.abc import Callable

from pyruse.importers.fail2ban.filters import Search, address_fields
from pyruse.importers.outcome import Chain, Step

_KEEP = "5m"
_ALT = "alt_user"


def of(jail: str, search: Search, names: Callable[[str], str]) -> tuple[list[Step], list[Chain]]:
    """The steps and chains between what is found in a line and what is a failure.

    They lead to the chain "JAIL failed".

    :return: the steps behind the patterns, and further chains.
    """
    session = _Sessions(jail, search, names)
    return session.steps(), session.chains()


class _Sessions:
    def __init__(self, jail: str, search: Search, names: Callable[[str], str]) -> None:
        self.jail, self.names, self.fields = jail, names, search.fields
        self.key = names("session")
        parts = ["{_MACHINE_ID}", "{_PID}"] if search.of_process else ["{_MACHINE_ID}"]
        if "mlfid" in self.fields:
            parts.append(f"{{{names('mlfid')}}}")
        self.value = " ".join(parts)
        self.others = address_fields(search)
        self.waits = search.may_lack_address
        self.users = "user" in self.fields and "nofail" in self.fields | self._gained()

    def _gained(self) -> set[str]:
        return {"nofail"} if "mlfgained" in self.fields else set()

    def chain(self, name: str) -> str:
        return f"{self.jail} {name}"

    def memory(self, name: str) -> dict[str, str]:
        return {"name": self.chain(name), "key": self.key}

    @property
    def after_address(self) -> str:
        return self.chain("user") if self.users else self.after_user

    @property
    def after_user(self) -> str:
        return self.chain("end") if "mlfforget" in self.fields else self.chain("verdict")

    def steps(self) -> list[Step]:
        n = self.names
        steps: list[Step] = [{"action": "set", "field": self.key, "value": self.value}]
        if self.others:
            value = "".join(f"{{{n(name)}}}" for name in self.others)
            steps.append({"action": "set", "field": n("ip"), "value": value})
            steps.append(
                {
                    "filter": "in_networks", "field": n("ip"), "nets": ["0.0.0.0/0", "::/0"],
                    "then": self.chain("address"),
                }
            )  # fmt: skip
        else:
            steps.append({"filter": "exists", "field": n("ip"), "then": self.chain("address")})
        steps.append(
            {
                "action": "recall",
                **self.memory("address"),
                "into": n("ip"),
                "then": self.after_address,
            }
        )
        return steps

    def chains(self) -> list[Chain]:
        n = self.names
        chains = [Chain(self.chain("address"), self._keep_address())]
        if self.users:
            chains += self._user_chains()
        if "mlfforget" in self.fields:
            forget: list[Step] = [
                {"filter": "exists", "field": n("mlfforget"), "else": self.chain("verdict")},
                {"action": "forget", **self.memory("address")},
            ]
            if self.users:
                forget.append({"action": "reset", "counter": self.chain("users"), "key": self.key})
            forget[-1] = {**forget[-1], "then": self.chain("verdict")}
            chains.append(Chain(self.chain("end"), forget, ["The session is over."]))
        chains += self._verdict()
        return chains

    def _keep_address(self) -> list[Step]:
        remember = {
            "action": "remember",
            **self.memory("address"),
            "field": self.names("ip"),
            "keep": _KEEP,
        }
        if "mlfforget" not in self.fields:
            return [{**remember, "then": self.after_address}]
        return [
            {"filter": "exists", "field": self.names("mlfforget"), "then": self.after_address},
            {**remember, "then": self.after_address},
        ]

    def _user_chains(self) -> list[Chain]:
        n, users = self.names, n_users(self.names)
        alternatives = sorted(name for name in self.fields if name.startswith(_ALT))
        count = {
            "action": "count", "counter": self.chain("users"), "key": self.key,
            "distinct": n("user"), "within": _KEEP, "into": users, "then": self.after_user,
        }  # fmt: skip
        first = self.chain("user")
        no_user = self.chain("no user")
        read = {
            "action": "count", "counter": self.chain("users"), "key": self.key,
            "distinct": n("user"), "by": 0, "into": users, "then": self.after_user,
        }  # fmt: skip
        otherwise = self.chain("other user") if alternatives else no_user
        chains = [
            Chain(
                first,
                [{"filter": "regex", "field": n("user"), "pattern": ".", "else": otherwise}, count],
                ["How many users are tried in one session."],
            )
        ]
        for number, name in enumerate(alternatives, 1):
            last = number == len(alternatives)
            following = no_user if last else f"{self.chain('other user')} {number + 1}"
            steps: list[Step] = [
                {"filter": "regex", "field": n(name), "pattern": ".", "else": following},
                {"action": "set", "field": n("user"), "value": f"{{{n(name)}}}"},
                count,
            ]
            chains.append(Chain(otherwise, steps))
            otherwise = following
        chains.append(Chain(no_user, [read]))
        return chains

    def _verdict(self) -> list[Chain]:
        n, failed = self.names, self.chain("failure")
        chains: list[Chain] = []
        several: list[Step] = []
        if self.users:
            several = [{"filter": "at_least", "field": n_users(n), "value": 2, "then": failed}]
        steps: list[Step] = []
        if "mlfgained" in self.fields:
            steps.append({"filter": "exists", "field": n("mlfgained"), "then": self.chain("login")})
        if self.waits:
            steps += [
                {"action": "recall", **self.memory("pending"), "into": n("pending")},
                {"action": "forget", **self.memory("pending")},
                {"filter": "exists", "field": n("pending"), "then": failed},
            ]
        if "nofail" in self.fields:
            steps += several
            steps.append({"filter": "exists", "field": n("nofail"), "invert": True, "then": failed})
        else:
            steps.append({"filter": "exists", "field": self.key, "then": failed})
        chains.append(Chain(self.chain("verdict"), steps))
        if "mlfgained" in self.fields:
            login: list[Step] = []
            if self.waits:
                login.append({"action": "forget", **self.memory("pending")})
            login += several or [{"action": "continue"}]
            chains.append(Chain(self.chain("login"), login, ["Whoever logs in is forgiven."]))
        end: list[Step] = [{"filter": "exists", "field": n("ip"), "then": self.chain("failed")}]
        if self.waits:
            if "dns" in self.fields:
                end.append({"filter": "exists", "field": n("dns"), "invert": True})
            if "mlfforget" in self.fields:
                end.append({"filter": "exists", "field": n("mlfforget"), "invert": True})
            end += [
                {
                    "action": "remember", **self.memory("pending"), "value": "yes", "keep": _KEEP,
                },
                {"action": "continue"},
            ]  # fmt: skip
        chains.append(
            Chain(failed, end, ["A failure without an address waits for it."] if self.waits else [])
        )
        return chains


def n_users(names: Callable[[str], str]) -> str:
    """The field that gets the number of users."""
    return names("users")
