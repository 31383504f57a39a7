"""Import of the local files of epylog: what is weeded out, what is noted, who gets the report."""

from __future__ import annotations

import configparser
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

from pyruse.errors import ConfigError
from pyruse.importers.mail_settings import email_of
from pyruse.importers.outcome import Chain, Outcome, Step
from pyruse.importers.small_files import read_text
from pyruse.options.patterns import Pattern

_LINE: Step = {
    "action": "set", "field": "line", "value": "{SYSLOG_IDENTIFIER}[{_PID}]: {MESSAGE}",
}  # fmt: skip
"""What epylog compares: a line from the program on."""
_RULES = {
    "logins": ["sshd", "login", "logind", "sudo", "su", "pam"],
    "mail": ["postfix", "exim", "dovecot"],
    "dovecot": ["dovecot"],
    "packets": ["kernel"],
    "reboots": ["systemd", "kernel"],
}
"""Rules that know what a module of epylog's looks at."""
_OWN_FILES = {"weeder", "notices"}
_SECTION = re.compile(r"\s*\[(.*)\]\s*")
_MOST = 5000
_HOLE = re.compile(r"%(?:%|[sd])")


def convert(folder: Path, installed: Collection[str]) -> Outcome:
    """Turn a folder such as ``/etc/epylog`` into a configuration of Pyruse.

    :param folder: with ``epylog.conf``, ``modules.d`` and the local files.
    :param installed: the names of the rules that there are.
    :raises ConfigError: there is no ``epylog.conf`` that can be read.
    """
    outcome = Outcome()
    text = read_text(folder / "epylog.conf", "epylog.conf", outcome.notes)
    if text is None:
        why = outcome.notes or ["epylog.conf: there is no such file"]
        raise ConfigError([f"{folder}: {note} (expected the folder of epylog)" for note in why])
    _settings(_ini(text, "epylog.conf", outcome.notes), outcome)
    _modules(folder, installed, outcome)
    weeded = list(_weeded(folder, outcome.notes))
    if weeded:
        steps: list[Step] = [_LINE, {"filter": "regex", "field": "line", "pattern": weeded}]
        outcome.chains.append(
            Chain("weeded out", [*steps, {"action": "discard"}], ["[ADD] of weed_local.cf"])
        )
    _notices(folder, outcome)
    return outcome


def _ini(text: str, name: str, notes: list[str]) -> configparser.RawConfigParser:
    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(text)
    except configparser.Error as fault:
        notes.append(f"{name}: {' '.join(str(fault).split())}")
    return parser


def _settings(conf: configparser.RawConfigParser, outcome: Outcome) -> None:
    names = conf.get("report", "publishers", fallback="mail").replace(",", " ").split()
    for name in names:
        if conf.get(name, "method", fallback="") == "mail":
            email = email_of(
                conf.get(name, "mailto", fallback="root"), None,
                conf.get(name, "smtpserv", fallback=""), f"epylog.conf: [{name}]", outcome.notes,
            )  # fmt: skip
            outcome.settings.setdefault("email", {}).update(email)
        elif path := conf.get(name, "path", fallback=""):
            outcome.settings.setdefault("report", {})["archive"] = path
    title = conf.get("report", "title", fallback="").strip()
    if title:
        subject = title.replace("{", "{{").replace("}", "}}")
        subject = subject.replace("@@HOSTNAME@@", "{host}").replace("@@LOCALTIME@@", "{day}")
        outcome.settings.setdefault("report", {})["subject"] = subject
    if conf.get("report", "include_unparsed", fallback="yes").strip().lower() == "no":
        discard: list[Step] = [{"action": "discard"}]
        comment = "include_unparsed = no in epylog.conf: what nobody has recognised is not shown."
        outcome.chains.append(Chain("everything else", discard, [comment]))


def _modules(folder: Path, installed: Collection[str], outcome: Outcome) -> None:
    use: list[str] = []
    for file in sorted((folder / "modules.d").glob("*.conf")):
        name = f"modules.d/{file.name}"
        text = read_text(file, name, outcome.notes)
        if text is None:
            continue
        conf = _ini(text, name, outcome.notes)
        if conf.get("module", "enabled", fallback="no").strip().lower() != "yes":
            continue
        if file.stem in _RULES:
            use += [rules for rules in _RULES[file.stem] if rules in installed]
        elif file.stem not in _OWN_FILES:
            program = conf.get("module", "exec", fallback="?")
            outcome.notes.append(f"{name}: no rules of Pyruse stand for this module ({program})")
        if file.stem == "weeder" and conf.get("conf", "enable", fallback="").strip():
            outcome.notes.append(
                f"{name}: the sections of weed_dist.cf are not taken over: what is everyday work, "
                'Pyruse\'s rules know; for the rest, add patterns to the chain "weeded out"'
            )
    outcome.use = list(dict.fromkeys(use))
    outcome.comments["use"] = ["Rules that know what the modules of epylog look at."]


def _weeded(folder: Path, notes: list[str]) -> Iterator[str]:
    text = read_text(folder / "weed_local.cf", "weed_local.cf", notes)
    section, count = "", 0
    for number, line in enumerate((text or "").split("\n"), 1):
        if not line.strip() or line.lstrip().startswith("#"):
            continue
        head = _SECTION.fullmatch(line)
        if head is not None:
            section = head[1]
        elif section == "REMOVE":
            notes.append(
                f"weed_local.cf: line {number}: shows what weed_dist.cf weeds out; that is not "
                f"taken over: {line.strip()}"
            )
        elif section == "ADD" and count < _MOST:
            count += 1
            pattern = line.strip()
            if fault := _fault(pattern):
                notes.append(f"weed_local.cf: line {number}: {fault}; left out")
            else:
                yield pattern


def _fault(pattern: str) -> str | None:
    try:
        Pattern(pattern)
    except ValueError as fault:
        return str(fault)
    return None


def _notices(folder: Path, outcome: Outcome) -> None:
    """The notices of ``notice_local.xml``: a switch for each pattern, a row of the report each."""
    text = read_text(folder / "notice_local.xml", "notice_local.xml", outcome.notes)
    if text is None:
        return
    if "<!DOCTYPE" in text or "<!ENTITY" in text:
        outcome.notes.append("notice_local.xml: has a document type; left out")
        return
    try:
        root = ElementTree.fromstring(text)
    except ElementTree.ParseError as fault:
        outcome.notes.append(f"notice_local.xml: {fault}; left out")
        return
    switches: list[Step] = []
    chains: list[Chain] = []
    for number, notice in enumerate(root.iter("notice"), 1):
        name = f"notice {notice.get('id') or number}"
        message = (notice.findtext("report") or "").strip()
        names = [f"part{hole + 1}" for hole in range(_holes(message))]
        found = [(regex.text or "").strip() for regex in notice.iter("regex")]
        steps = list(_switches(found, names, name, outcome.notes))
        if steps:
            switches += steps
            chains.append(Chain(name, [_report(notice, message, names)]))
    if switches:
        comments = ["notice_local.xml"]
        outcome.chains += [Chain("notices", [_LINE, *switches], comments), *chains]


def _holes(message: str) -> int:
    return sum(hole[0] != "%%" for hole in _HOLE.finditer(message))


def _switches(patterns: list[str], names: list[str], name: str, notes: list[str]) -> Iterator[Step]:
    for pattern in patterns:
        fault = _fault(pattern)
        groups = 0 if fault else re.compile(pattern).groups
        if fault is None and groups != len(names):
            fault = f'"{pattern}" has {groups} groups, and the report {len(names)} places for them'
        if fault is not None:
            notes.append(f"notice_local.xml: {name}: {fault}; left out")
            continue
        save = {"save": names} if names else {}
        yield {"filter": "regex", "field": "line", "pattern": pattern, **save, "then": name}


def _report(notice: ElementTree.Element, message: str, names: list[str]) -> Step:
    rest = iter(names)
    text = message.replace("{", "{{").replace("}", "}}")
    text = _HOLE.sub(lambda hole: "%" if hole[0] == "%%" else f"{{{next(rest)}}}", text)
    section = "important" if notice.get("critical") == "yes" else "interesting"
    step: dict[str, Any] = {"action": "report", "section": section, "message": text}
    return {**step, "details": "FIRSTLAST"}
