"""Collects what an importer finds: faults, which end the import, and notes, which go with it."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True)
class Imported:
    """A configuration as Pyruse reads it."""

    settings: dict[str, Any]
    """The whole TOML document as plain dicts, the chains in their order."""
    notes: list[str]
    """What changed or could not be translated, one line each: *address: what happened*."""


@dataclass
class Findings:
    """Everything found so far, one line each."""

    faults: list[str] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    def at(self, address: str) -> Location:
        """The location at an address."""
        return Location(address, self)


@dataclass(frozen=True)
class Location:
    """Where something stands in the imported file."""

    address: str
    findings: Findings

    def at(self, deeper: str) -> Location:
        """The location inside this one, such as ``[2]`` or ``.args``."""
        return Location((self.address + deeper).removeprefix("."), self.findings)

    def fault(self, what: str, expected: str) -> None:
        """Something that must be mended before the file can be imported."""
        self.findings.faults.append(f"{self.address}: {what} (expected {expected})")

    def wrong(self, value: object, expected: str) -> None:
        """A value of a kind that cannot be here."""
        self.fault(f"{as_json(value)} is not usable here", expected)

    def note(self, what: str) -> None:
        """Something that the administrator should know."""
        self.findings.notes.append(f"{self.address}: {what}")


def as_json(value: object) -> str:
    """A value as JSON writes it, on one line, cut where it is long."""
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= 60 else f"{text[:59]}…"


def quoted(name: str) -> str:
    """A name from the file in quotation marks, on one line."""
    return json.dumps(name, ensure_ascii=False)
