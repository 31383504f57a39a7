"""A firewall with the options of a table ``[bans.NAME]``."""

from __future__ import annotations

from typing import Any

from pyruse import Firewall
from pyruse.errors import ConfigError
from pyruse.options.build import build
from pyruse.options.faults import ConfigFaults


def configured(plugin: type[Any], name: str, options: dict[str, Any]) -> Firewall:
    """:raises ConfigError: options are faulty."""
    faults = ConfigFaults(f"bans.{name}")
    made = build(plugin, options, faults)
    if made is None:
        raise ConfigError(faults.texts)
    firewall = made.open_firewall(name)
    assert isinstance(firewall, Firewall)
    return firewall
