"""Country and network of an address, from files in the MaxMind DB format."""

from __future__ import annotations

import os
import re
import shutil
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Self
from weakref import WeakValueDictionary

import maxminddb

from pyruse import (
    Address,
    Context,
    Entry,
    Field,
    NewField,
    address_of,
    hookimpl,
    one_line,
    shortened,
    text_around,
)

_SETTLED = 5.0  # seconds: a file that was changed just now may be half of what it will be

Record = Mapping[str, Any]


class Database:
    """A file in the MaxMind DB format; one that is put in its place later is read, too."""

    IN_WORDS: ClassVar[str] = (
        "the path of a file in the MaxMind DB format, such as "
        '"/var/lib/GeoIP/GeoLite2-Country.mmdb"'
    )
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^/"}

    _shared: ClassVar[WeakValueDictionary[str, Database]] = WeakValueDictionary()
    """By path: what some step holds. A database takes memory, so all the steps share it."""

    def __init__(self, path: str) -> None:
        """Read it.

        :raises ValueError: there is no such database.
        """
        self.path = path
        self._looked_at = self._held = _signature(path)
        self._reader = _read(path)
        metadata = self._reader.metadata()
        self.type = metadata.database_type
        """Such as ``GeoLite2-Country``."""
        self._only_ipv4 = metadata.ip_version == 4

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: there is no such database."""
        if not isinstance(value, str) or not value.startswith("/") or "\0" in value:
            raise ValueError(f"that is no path from / on (expected {cls.IN_WORDS})")
        known = cls._shared.get(value)
        if isinstance(known, cls) and known._held == _signature(value):
            return known
        made = cls._shared[value] = cls(value)
        return made

    def refresh(self) -> str | None:
        """Read the file again if another one lies there, and has been left alone for a moment.

        :return: why that one cannot be used; the one before it is used then. It is told once.
        """
        signature = _signature(self.path)
        if signature == self._looked_at or _is_being_written(signature):
            return None
        self._looked_at = signature
        try:
            self._reader = _read(self.path)
        except ValueError as fault:
            return str(fault)
        self._held = signature
        self._only_ipv4 = self._reader.metadata().ip_version == 4
        return None

    def look_up(self, address: Address) -> tuple[Record, int]:
        """What is known about an address, and the prefix length of the network that it is in."""
        if address.version == 6 and self._only_ipv4:
            return {}, 0
        record, prefix = self._reader.get_with_prefix_len(address)
        return (record, prefix) if isinstance(record, dict) else ({}, 0)


_Signature = tuple[int, int, int, int] | None


def _signature(path: str) -> _Signature:
    """What tells a file from the one that lay there before."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns


def _is_being_written(signature: _Signature) -> bool:
    return signature is not None and 0 <= time.time() - signature[3] / 1e9 < _SETTLED


def _read(path: str) -> maxminddb.Reader:
    """Open a copy in memory.

    Where the file itself is mapped, whoever writes a shorter one over it ends the program: SIGBUS,
    see mmap(2).
    """
    try:
        with open(os.memfd_create("geoip"), "w+b") as copy, open(path, "rb") as file:
            shutil.copyfileobj(file, copy)
            copy.flush()
            return maxminddb.open_database(f"/proc/self/fd/{copy.fileno()}")
    except OSError as fault:
        reason = str(fault.strerror)
    except (maxminddb.InvalidDatabaseError, ValueError):
        reason = "is no such database, or is damaged"
    raise ValueError(f"{one_line(path)}: {reason} (expected {Database.IN_WORDS})")


def _look_up(
    database: Database, field: str, entry: Entry, context: Context
) -> tuple[Record, str | None]:
    """What is known about the address in a field, and of which network."""
    address = address_of(entry, field)
    if address is None:
        return {}, None
    fault = database.refresh()
    if fault is not None:
        context.log(entry, f"{context.step}: {fault}; the one before is still used", "warning")
    record, prefix = database.look_up(address)
    return record, text_around(address, prefix, prefix) if record else None


def _country(record: Record) -> str | None:
    """Where the address is; where only that is known, the country its network is registered in."""
    for place in ("country", "registered_country"):
        code = record.get(place, {}).get("iso_code")
        if code is not None:
            return str(code)
    return None


@dataclass
class GeoIp:
    """Set fields to the country and the network of an address.

    What is known depends on the database: those that are called Country or City know countries and
    continents, those called ASN know who has a network. For both, there are two steps. A field is
    removed where nothing is known, as for private addresses, so that it never tells of another one.

    ```toml
    { action = "geoip", field = "ip", database = "/var/lib/GeoIP/GeoLite2-Country.mmdb", country_into = "country" },
    { action = "geoip", field = "ip", database = "/var/lib/GeoIP/GeoLite2-ASN.mmdb", asn_into = "asn", organization_into = "provider" }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    field: Field
    """The field that holds the address."""
    database: Database
    """The file, in the MaxMind DB format. It may be replaced at any time."""
    country_into: NewField | None = None
    """This field gets the code of the country (ISO 3166-1), such as `FR`."""
    continent_into: NewField | None = None
    """This field gets the code of the continent: AF, AN, AS, EU, NA, OC or SA."""
    asn_into: NewField | None = None
    """This field gets the number of the autonomous system, such as 64496."""
    organization_into: NewField | None = None
    """This field gets the name of who has that autonomous system."""
    network_into: NewField | None = None
    """This field gets the network that the database knows this of, such as `192.0.2.0/24`."""

    def __post_init__(self) -> None:
        places = bool(self.country_into or self.continent_into)
        owners = bool(self.asn_into or self.organization_into)
        if not (places or owners or self.network_into):
            raise ValueError("nothing is set (expected country_into, asn_into or another …_into)")
        kind = self.database.type
        if places and "ASN" in kind:
            raise ValueError(f"{kind} knows no countries (expected a database of countries)")
        if owners and ("Country" in kind or "City" in kind):
            raise ValueError(f"{kind} knows no autonomous systems (expected a database of those)")

    @hookimpl
    def act_on_entry(self, entry: Entry, context: Context) -> None:
        record, network = _look_up(self.database, self.field, entry, context)
        found = {
            self.country_into: _country(record),
            self.continent_into: record.get("continent", {}).get("code"),
            self.asn_into: record.get("autonomous_system_number"),
            self.organization_into: record.get("autonomous_system_organization"),
            self.network_into: network,
        }
        for field, value in found.items():
            if field is not None and value is not None:
                entry[field] = value
            elif field is not None:
                entry.pop(field, None)


class Country(str):
    """The code of a country."""

    IN_WORDS: ClassVar[str] = "the code of a country"
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[A-Z]{2}$"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """:raises ValueError: it is no such code."""
        if isinstance(value, str) and re.fullmatch(r"[A-Z]{2}", value):
            return cls(value)
        raise ValueError(
            f"{shortened(one_line(repr(value)), 40)} is no code of a country (expected two capital "
            'letters of ISO 3166-1, such as "FR")'
        )


@dataclass
class InCountries:
    """Pass when an address is in one of some countries.

    What a database has no country for, such as a private address, does not pass; with `unknown`,
    it does: put that beside `invert`, or whoever has no country counts as a stranger.

    ```toml
    { filter = "in_countries", field = "ip", database = "/var/lib/GeoIP/GeoLite2-Country.mmdb", countries = ["DE", "FR"], unknown = true, invert = true }
    ```
    """  # noqa: E501 -- an example is one line in TOML

    field: Field
    """The field that holds the address."""
    database: Database
    """The file with countries, in the MaxMind DB format. It may be replaced at any time."""
    countries: list[Country]
    """The codes of the countries (ISO 3166-1)."""
    unknown: bool = False
    """Pass also when the country is not known."""

    def __post_init__(self) -> None:
        if "ASN" in self.database.type:
            raise ValueError(
                f"{self.database.type} knows no countries (expected a database of countries)"
            )
        self._countries = frozenset[str](self.countries)

    @hookimpl
    def match_entry(self, entry: Entry, context: Context) -> bool:
        record, _ = _look_up(self.database, self.field, entry, context)
        country = _country(record)
        return self.unknown if country is None else country in self._countries
