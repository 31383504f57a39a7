"""The filters and actions of Pyruse 1, each with what its arguments are called in Pyruse 2."""

from __future__ import annotations

import re
from typing import Any

from pyruse.entry.decoding import typed
from pyruse.importers.findings import Location, as_json
from pyruse.importers.pyruse1_arguments import (
    DETAIL,
    ENCODING,
    FIELD,
    FIELDS,
    GRACE,
    IPSET,
    LEVEL,
    NFT,
    ORDERED,
    PLAIN,
    PORT,
    RETENTION,
    SCALAR,
    SCALARS,
    SECONDS,
    SECTION,
    STORAGE,
    TEXT,
    TEXTS,
    Arg,
    Kind,
    Module,
)


def _look_at_values(options: dict[str, Any], location: Location) -> None:
    """Pyruse 2 reads a configured "3" as the number that PRIORITY is; Pyruse 1 did not."""
    name = options.get("field", "")
    key = "values" if "values" in options else "value"
    values = options.get(key, [])
    for value in values if key == "values" else [values]:
        try:
            changed = typed(name, value) != value
        except ValueError:
            continue  # "pyruse check" says it better, and of the new file
        if changed:
            location.at(f".{key}").note(
                f"{as_json(value)} is not text any more: {name} never is text, so it could not "
                "match"
            )


def _look_at_patterns(options: dict[str, Any], location: Location) -> None:
    found = options.get("pattern", [])
    for pattern in [found] if isinstance(found, str) else found:
        try:
            regex = re.compile(pattern)
        except (re.error, OverflowError, RecursionError):
            continue  # "pyruse check" says what is wrong with it
        if regex.search(""):
            location.at(".re").note(
                f"{as_json(pattern)} matches empty text: an entry without {options.get('field')} "
                "passed, and does not now"
            )
        if regex.groupindex and "save" in options:
            location.at(".save").note(
                "names the unnamed groups only: the pattern also has named ones"
            )


def _look_at_retention(options: dict[str, Any], location: Location) -> None:
    location.at(".keepSeconds").note(
        f"kept for exactly {options.get('keep')} now; it was rounded up, and up to four times that"
    )


def _look_at_choice(_options: dict[str, Any], location: Location) -> None:
    location.note("where several connections fit, the newest one counts now; it was the oldest")


def _compared(new: str, kind: Kind) -> Module:
    return Module(
        new, (Arg("field", "field", FIELD), Arg("value", "value", kind)), look=_look_at_values
    )


def _ban(backend: str, prefix: str) -> Module:
    return Module(
        "ban",
        (
            Arg("IP", "ip", FIELD),
            Arg("banSeconds", "duration", SECONDS, required=False),
            Arg(f"{prefix}IPv4", "sets.ipv4", TEXT),
            Arg(f"{prefix}IPv6", "sets.ipv6", TEXT),
        ),
        fixed={"backend": backend},
    )


FILTERS = {
    "filter_equals": _compared("equals", SCALAR),
    "filter_lowerOrEquals": _compared("at_most", ORDERED),
    "filter_greaterOrEquals": _compared("at_least", ORDERED),
    "filter_in": Module(
        "in",
        (Arg("field", "field", FIELD), Arg("values", "values", SCALARS)),
        look=_look_at_values,
    ),
    "filter_inNetworks": Module(
        "in_networks", (Arg("field", "field", FIELD), Arg("nets", "nets", TEXTS))
    ),
    "filter_pcre": Module(
        "regex",
        (
            Arg("field", "field", FIELD),
            Arg("re", "pattern", TEXT),
            Arg("save", "save", FIELDS, required=False),
        ),
        look=_look_at_patterns,
    ),
    "filter_pcreAny": Module(
        "regex",
        (Arg("field", "field", FIELD), Arg("re", "pattern", TEXTS)),
        look=_look_at_patterns,
    ),
    "filter_userExists": Module("user_exists", (Arg("field", "field", FIELD),)),
}

ACTIONS = {
    "action_noop": Module("discard"),
    "action_log": Module(
        "log", (Arg("message", "message", TEXT), Arg("level", "level", LEVEL, required=False))
    ),
    "action_email": Module(
        "email",
        (
            Arg("message", "message", TEXT),
            Arg("subject", "subject", PLAIN, default="Pyruse Notification"),
        ),
    ),
    "action_counterRaise": Module(
        "count",
        (
            Arg("counter", "counter", TEXT),
            Arg("for", "key", FIELD),
            Arg("keepSeconds", "within", SECONDS, required=False),
            Arg("save", "into", FIELD, required=False),
        ),
    ),
    "action_counterReset": Module(
        "reset",
        (
            Arg("counter", "counter", TEXT),
            Arg("for", "key", FIELD),
            Arg("graceSeconds", "grace", GRACE, required=False),
            Arg("save", "into", FIELD, required=False),
        ),
    ),
    "action_dailyReport": Module(
        "report",
        (
            Arg("level", "section", SECTION),
            Arg("message", "message", TEXT),
            Arg("details", "details", DETAIL, required=False),
        ),
    ),
    "action_nftBan": _ban("nftables", "nftSet"),
    "action_ipsetBan": _ban("ipset", "ipSet"),
    "action_dnatCapture": Module(
        "dnat_capture",
        (
            Arg("saddr", "saddr", FIELD),
            Arg("sport", "sport", FIELD, required=False),
            Arg("addr", "addr", FIELD, required=False),
            Arg("addrValue", "addr_value", TEXT, required=False),
            Arg("port", "port", FIELD, required=False),
            Arg("portValue", "port_value", PORT, required=False),
            Arg("daddr", "daddr", FIELD, required=False),
            Arg("daddrValue", "daddr_value", TEXT, required=False),
            Arg("dport", "dport", FIELD, required=False),
            Arg("dportValue", "dport_value", PORT, required=False),
            Arg("keepSeconds", "keep", RETENTION, default=63),
        ),
        one_of=(("addr", "addrValue"),),
        look=_look_at_retention,
    ),
    "action_dnatReplace": Module(
        "dnat_replace",
        (
            Arg("addr", "addr", FIELD, required=False),
            Arg("port", "port", FIELD, required=False),
            Arg("daddr", "daddr", FIELD, required=False),
            Arg("dport", "dport", FIELD, required=False),
            Arg("saddrInto", "saddr_into", FIELD, required=False),
            Arg("sportInto", "sport_into", FIELD, required=False),
        ),
        one_of=(("addr", "port", "daddr", "dport"), ("saddrInto", "sportInto")),
        look=_look_at_choice,
    ),
}

TOP = {
    "": Module(
        "",
        (
            Arg("8bit-message-encoding", "journal.legacy_encoding", ENCODING, default="iso-8859-1"),
            Arg("storage", "state.url", STORAGE, required=False),
        ),
    ),
    "email": Module(
        "",
        (
            Arg("from", "email.from", TEXT, required=False),
            Arg("to", "email.to", TEXTS, default=["hostmaster"]),
            Arg("sendmail", "email.sendmail", TEXTS, required=False),
            Arg("subject", "report.subject", PLAIN, required=False),
        ),
    ),
    "nftBan": Module("", (Arg("nft", "bans.nftables.command", NFT, required=False),)),
    "ipsetBan": Module("", (Arg("ipset", "bans.ipset.command", IPSET, required=False),)),
}
"""The rest of the file, by the object that the settings are in ("" is the file itself)."""
