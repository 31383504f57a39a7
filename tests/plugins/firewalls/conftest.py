"""Firewalls as the tests speak of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import pytest

from pyruse import Element, FirewallError, Target
from pyruse.testing.machines import Machines
from pyruse.testing.namespace import unavailable
from pyruse.testing.plugin import need


@pytest.fixture(scope="session")
def _machines():
    need(unavailable("nft", "ipset", "iptables", "ip6tables"))
    with Machines() as both:
        yield both


@pytest.fixture
def machines(_machines):
    """The same two machines for all tests, whose server has no firewall when a test begins."""
    yield _machines
    _machines.server.run(["nft", "flush", "ruleset"])
    _machines.server.run(["ipset", "destroy"])


@dataclass
class Refusal:
    """What a `FirewallError` says."""

    text: str
    networks: list[str]
    emptied: bool


class Driver:
    """A firewall as the tests speak of it: ``ban("192.0.2.7", seconds=60, ports=(22,))``."""

    def __init__(self, firewall) -> None:
        self.firewall = firewall

    def check(self, **target) -> None:
        self.firewall.check(Target("any", **target))

    def ban(self, *networks: str, seconds: int | None = 600, **target) -> None:
        self.firewall.apply(self.elements(*networks, seconds=seconds, **target), [])

    def unban(self, *networks: str, **target) -> None:
        self.firewall.apply([], self.elements(*networks, **target))

    def reconcile(self, *networks: str, seconds: int | None = 600, **target) -> None:
        self.firewall.reconcile(self.elements(*networks, seconds=seconds, **target), [])

    def teardown(self, *networks: str, **target) -> None:
        self.firewall.teardown(self.elements(*networks, **target))

    def elements(self, *networks: str, seconds: int | None = None, **target) -> list[Element]:
        where = Target("any", **target)
        return [Element(network, where, seconds) for network in networks]

    def refused(self, apply: Callable[[], None]) -> Refusal:
        with pytest.raises(FirewallError) as caught:
            apply()
        failed = caught.value.failed or []
        networks = [str(element.network) for element in failed]
        return Refusal(str(caught.value), networks, caught.value.emptied)

    def refuses(self, *networks: str, **given) -> Refusal:
        return self.refused(lambda: self.ban(*networks, **given))


@pytest.fixture
def driver() -> type[Driver]:
    return Driver
