"""What a jail says: its filter, how many failures are too many, and what happens then."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from pyruse.importers.fail2ban.actions import Effects, effects
from pyruse.importers.fail2ban.definitions import Definition
from pyruse.importers.fail2ban.durations import duration, seconds
from pyruse.importers.fail2ban.faults import Unreadable
from pyruse.importers.fail2ban.files import Folder
from pyruse.importers.fail2ban.lengths import Length, length_of
from pyruse.importers.fail2ban.logs import is_syslog
from pyruse.importers.fail2ban.option_lists import read_all, read_one
from pyruse.importers.fail2ban.values import Values
from pyruse.options.networks import Networks

_TRUE = frozenset({"1", "on", "true", "yes"})
_FILTER_OPTIONS = (
    "usedns", "prefregex", "ignoreregex", "failregex", "maxlines", "datepattern", "journalmatch",
)  # fmt: skip
_OPTIONS = (
    "enabled", "backend", "maxretry", "findtime", "bantime", "bantime.increment", "bantime.factor",
    "bantime.formula", "bantime.multipliers", "bantime.maxtime", "bantime.rndtime",
    "bantime.overalljails", "ignorecommand", "ignoreself", "ignoreip", "filter", "logpath",
    "action", *_FILTER_OPTIONS,
)  # fmt: skip
_ALWAYS_SPARED = frozenset({"127.0.0.1/8", "127.0.0.0/8", "127.0.0.1", "::1", "::1/128"})
"""Loopback is never banned, whatever a configuration says."""
_DEFAULTS = {"maxretry": "5", "findtime": "10m", "bantime": "10m", "usedns": "warn"}


def is_true(value: str | None) -> bool:
    """Whether an option is switched on."""
    return value is not None and value.strip().lower() in _TRUE


@dataclass(frozen=True)
class Jail:
    """A jail that is switched on."""

    name: str
    chain: str
    """The name of its chain, and of its bans."""
    source: str
    """The file that says most of it."""
    filter: Definition
    filter_name: str
    given: Mapping[str, str]
    """The options that it gives to its filter."""
    options: Mapping[str, str]
    own: Mapping[str, str]
    """Options of its filter that the jail itself says, each with where it stands."""
    max_retry: int
    find_time: str
    length: Length
    spares: tuple[str, ...]
    """Networks, host names and ``file:…`` that are never banned."""
    effects: Effects
    log_paths: tuple[str, ...]
    journal: bool
    """Whether it reads the journal, not files."""
    notes: list[str] = field(default_factory=list)

    @property
    def own_files(self) -> bool:
        """Whether it reads files that the program itself writes."""
        return not self.journal and bool(self.log_paths) and not is_syslog(self.log_paths)

    def option(self, name: str) -> str | None:
        """An option of the filter: as the jail says it, or as the filter does.

        :raises Unreadable: it cannot be read.
        """
        return self.options[name] if name in self.own else self.filter.get(name)

    def address(self, name: str) -> str:
        """Where an option of the filter stands."""
        return self.own.get(name) or self.filter.address(name)

    @property
    def mode(self) -> str:
        """The mode of the filter."""
        with suppress(Unreadable):
            return self.filter.get("mode") or "normal"
        return "normal"


def jail_values(folder: Folder) -> Values:
    """The sections of ``jail.conf`` and of all that belongs to it.

    :raises Unreadable: there is no such file.
    """
    values = folder.values("jail")
    # What fail2ban itself puts there; the files may refer to it.
    values.set_defaults({"fail2ban_version": "1", "fail2ban_confpath": str(folder.path)})
    return values


def enabled_jails(values: Values, notes: list[str]) -> list[str]:
    """The names of the jails that are switched on, in the order of the files."""
    names = []
    for name in values.sections:
        try:
            if is_true(values.get(name, "enabled")):
                names.append(name)
        except Unreadable as fault:
            notes.append(f"{fault}; the jail {name} is left out")
    return names


def read_jail(name: str, values: Values, folder: Folder, forget: str) -> Jail:
    """Read a jail.

    :param name: of the jail.
    :param values: of the files with jails.
    :param folder: that has its filter and its actions.
    :param forget: for how long offenders are remembered.
    :raises Unreadable: something that it needs cannot be read.
    """
    backend = values.get(name, "backend") or "auto"
    filter_text = values.get(name, "filter") or ""
    files, filter_name, given = _filter(filter_text, values, name, folder)
    journal = backend.startswith("systemd")
    if "logtype" not in files.options("Definition"):
        log_paths = _log_paths({"logpath": values.get(name, "logpath") or ""})
        own = not journal and bool(log_paths) and not is_syslog(log_paths)
        given.setdefault("logtype", "file" if own else "journal")
    first = Definition(files, given, {"backend": backend, "filter": filter_text})
    known: dict[str, str] = {}
    for option in first.options():
        with suppress(Unreadable):  # it is one of fail2ban's own, for dates, or nobody needs it
            value = first.get(option)
            if value is not None:
                known[f"known/{option}"] = value
    options = {
        option: value
        for option in _OPTIONS
        if (value := values.get(name, option, known)) is not None
    }
    said = {option: values.address(name, option) for option in _FILTER_OPTIONS if option in options}
    notes: list[str] = []
    return Jail(
        name=name,
        chain=name,
        source=_source(values, name),
        filter=Definition(files, given, options),
        filter_name=filter_name,
        given=given,
        options=options,
        own=said,
        max_retry=_max_retry(options, values, name),
        find_time=duration(_seconds("findtime", options, values, name)),
        length=_length(options, values, name, forget, notes),
        spares=_spares(options, notes),
        effects=_effects(options, values, name, folder),
        log_paths=_log_paths(options),
        journal=journal,
        notes=notes + _others(options, backend),
    )


def _filter(
    text: str, values: Values, name: str, folder: Folder
) -> tuple[Values, str, dict[str, str]]:
    """The files of a jail's filter, its name and its options; a jail may do without a filter."""
    if not text.strip():
        return Values(f"[{name}]"), "", {}
    try:
        filter_name, given = read_one(text)
    except ValueError as fault:
        raise Unreadable(values.address(name, "filter"), str(fault)) from None
    return folder.values(f"filter.d/{filter_name}"), filter_name, given


def _source(values: Values, name: str) -> str:
    files = [values.origin(name, option) for option in values.options(name)]
    return max(dict.fromkeys(files), key=files.count) if files else values.name


def _max_retry(options: Mapping[str, str], values: Values, name: str) -> int:
    text = options.get("maxretry", _DEFAULTS["maxretry"])
    if not text.strip().isdecimal() or int(text) < 1:
        raise Unreadable(
            values.address(name, "maxretry"), f'"{text}" is no number (expected 1 or more)'
        )
    return int(text)


def _seconds(option: str, options: Mapping[str, str], values: Values, name: str) -> float:
    try:
        return seconds(options.get(option, _DEFAULTS.get(option, "")))
    except ValueError as fault:
        raise Unreadable(values.address(name, option), str(fault)) from None


def _length(
    options: Mapping[str, str], values: Values, name: str, forget: str, notes: list[str]
) -> Length:
    first = _seconds("bantime", options, values, name)
    if not is_true(options.get("bantime.increment")):
        return Length.plain(first)
    notes.extend(
        f"{option} = {options[option]}: has no counterpart; left out"
        for option in ("bantime.formula", "bantime.rndtime", "bantime.overalljails")
        if options.get(option, "").strip() not in ("", "0", "false", "no")
    )
    try:
        return length_of(first, options, forget)
    except ValueError as fault:
        raise Unreadable(values.address(name, "bantime.increment"), str(fault)) from None


def _spares(options: Mapping[str, str], notes: list[str]) -> tuple[str, ...]:
    words = options.get("ignoreip", "").replace(",", " ").split()
    if options.get("ignoreself", "true").strip().lower() in ("false", "no", "0", "off"):
        notes.append("ignoreself = false: this machine's own addresses are never banned; left out")
    command = options.get("ignorecommand", "").strip()
    if command:
        notes.append(
            f"ignorecommand = {command}: no program is asked whom to spare; let it write a file, "
            'and name that in [bans] never: "file:/…"'
        )
    spares = []
    for word in dict.fromkeys(word for word in words if word not in _ALWAYS_SPARED):
        try:
            Networks.parse_item(word)
        except ValueError as fault:
            notes.append(f"ignoreip: {fault}; left out")
        else:
            spares.append(word)
    return tuple(spares)


def _effects(options: Mapping[str, str], values: Values, name: str, folder: Folder) -> Effects:
    address = values.address(name, "action")
    try:
        actions = read_all(options.get("action", ""))
    except ValueError as fault:
        raise Unreadable(address, str(fault)) from None
    try:
        return effects(actions, folder)
    except Unreadable as fault:
        raise Unreadable(address, fault.what) from None


def _log_paths(options: Mapping[str, str]) -> tuple[str, ...]:
    paths = []
    for line in options.get("logpath", "").split("\n"):
        path = line.strip()
        for tail in (" tail", " head"):
            path = path.removesuffix(tail).strip()
        if path:
            paths.append(path)
    return tuple(paths)


def _others(options: Mapping[str, str], backend: str) -> list[str]:
    notes = []
    if not options.get("action", "").strip():
        notes.append("has no action: its failures are reported, and nobody is banned")
    if "[" in backend:
        notes.append(
            f"backend = {backend}: which journal is read is said in [journal], for all chains"
        )
    if options.get("usedns", "").strip().lower() == "raw":
        notes.append("usedns = raw: what is no address is never banned")
    return notes
