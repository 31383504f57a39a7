"""Import of the local files of logwatch: services, what is ignored, and who gets the report."""

from __future__ import annotations

import re
from collections.abc import Collection
from pathlib import Path

from pyruse.errors import ConfigError
from pyruse.importers.mail_settings import email_of
from pyruse.importers.outcome import Chain, Outcome, Step
from pyruse.importers.small_files import read_text
from pyruse.options.patterns import Pattern

_LINE: Step = {
    "action": "set",
    "field": "line",
    "value": "{_HOSTNAME} {SYSLOG_IDENTIFIER}[{_PID}]: {MESSAGE}",
}
"""What logwatch compares is a whole line, with the date before this."""
_RULES = {
    "clamav": ["clamav"], "cron": ["cron"], "dnf-rpm": ["dnf"], "dovecot": ["dovecot"],
    "dpkg": ["apt"], "exim": ["exim"], "http": ["apache", "nginx"],
    "http-error": ["apache", "nginx"],
    "init": ["systemd"], "iptables": ["kernel"], "kernel": ["kernel"], "mdadm": ["mdadm"],
    "mysql": ["mariadb"], "named": ["named"], "nut": ["nut"], "openvpn": ["openvpn"],
    "pam": ["pam"], "pam_unix": ["pam"], "postfix": ["postfix"], "postgresql": ["postgresql"],
    "proftpd-messages": ["proftpd"], "pureftpd": ["pure_ftpd"], "raid": ["mdadm"],
    "rsnapshot": ["rsnapshot"], "samba": ["samba"], "saslauthd": ["saslauthd"],
    "secure": ["accounts", "login", "logind", "su"], "sendmail": ["sendmail"],
    "smartd": ["smartd"], "sshd": ["sshd"], "stunnel": ["stunnel"], "sudo": ["sudo"],
    "systemd": ["systemd", "coredump"], "vsftpd": ["vsftpd"], "xntpd": ["chrony"],
}  # fmt: skip
"""Rules that know what a service of logwatch's looks at."""
_OPTION = re.compile(r"\s*(\w+)\s*=\s*(?:\"([^\"]*)\"|(.*?))\s*(?:#.*)?")
_MOST = 5000


def convert(folder: Path, installed: Collection[str]) -> Outcome:
    """Turn a folder such as ``/etc/logwatch`` into a configuration of Pyruse.

    :param folder: with ``conf``.
    :param installed: the names of the rules that there are.
    :raises ConfigError: there is no such folder.
    """
    conf = folder / "conf" if (folder / "conf").is_dir() else folder
    files = ("logwatch.conf", "ignore.conf", "override.conf", "services")
    if not any((conf / name).exists() for name in files):
        raise ConfigError(
            [f"{folder}: has no conf/logwatch.conf (expected the folder of logwatch)"]
        )
    outcome = Outcome()
    options = _options(conf / "logwatch.conf", "logwatch.conf", outcome.notes)
    _settings(options, outcome)
    _services([value for key, value in options if key == "service"], installed, outcome)
    _ignored(conf, outcome)
    _own(conf, folder, outcome.notes)
    return outcome


def _options(file: Path, name: str, notes: list[str]) -> list[tuple[str, str]]:
    options = []
    for line in (read_text(file, name, notes) or "").split("\n"):
        found = _OPTION.fullmatch(line)
        if found is not None and not line.lstrip().startswith("#"):
            options.append((found[1].lower(), found[2] if found[2] is not None else found[3]))
    return options


def _settings(options: list[tuple[str, str]], outcome: Outcome) -> None:
    said = dict(options)
    outcome.settings["email"] = email_of(
        said.get("mailto", "root"), said.get("mailfrom"), said.get("mailer", ""), "logwatch.conf",
        outcome.notes,
    )  # fmt: skip
    for key, value in said.items():
        if key == "detail" and value.lower() not in ("low", "0"):
            outcome.notes.append(
                f"logwatch.conf: Detail = {value}: Pyruse's report has one form; left out"
            )
        elif key == "range" and value.lower() != "yesterday":
            outcome.notes.append(
                f"logwatch.conf: Range = {value}: a report of Pyruse's is of a day ([report] at)"
            )
        elif key in ("logdir", "archives", "hostname", "hostformat", "filename", "supress_ignores"):
            outcome.notes.append(f"logwatch.conf: {key} = {value}: has no counterpart; left out")


def _services(services: list[str], installed: Collection[str], outcome: Outcome) -> None:
    names = [name.lower() for name in services] or ["all"]
    left_out = {name.removeprefix("-") for name in names if name.startswith("-")}
    wanted = list(_RULES) if "all" in names else [n for n in names if not n.startswith("-")]
    use: list[str] = []
    for name in wanted:
        if name in left_out:
            continue
        if name not in _RULES:
            outcome.notes.append(
                f"logwatch.conf: Service = {name}: no rules of Pyruse stand for it"
            )
        use += [rules for rules in _RULES.get(name, []) if rules in installed]
    outcome.use = list(dict.fromkeys(use))
    outcome.comments["use"] = ["Rules that know what the services of logwatch look at."]


def _ignored(conf: Path, outcome: Outcome) -> None:
    patterns: list[str] = []
    text = read_text(conf / "ignore.conf", "ignore.conf", outcome.notes)
    for number, line in enumerate((text or "").split("\n"), 1):
        pattern = line.strip()
        if not pattern or pattern.startswith("#") or len(patterns) >= _MOST:
            continue
        try:
            Pattern(pattern)
        except ValueError as fault:
            outcome.notes.append(f"ignore.conf: line {number}: {fault}; left out")
            continue
        if pattern.startswith("^"):
            outcome.notes.append(
                f"ignore.conf: line {number}: begins at the date of a line, which the journal's "
                f"have not; left out: {pattern}"
            )
            continue
        patterns.append(pattern)
    if patterns:
        looking: Step = {"filter": "regex", "field": "line", "pattern": patterns}
        steps: list[Step] = [_LINE, looking, {"action": "discard"}]
        outcome.chains.append(Chain("ignored", steps, ["ignore.conf"]))


def _own(conf: Path, folder: Path, notes: list[str]) -> None:
    """Services, scripts and overrides of the administrator's own."""
    for file in sorted((conf / "services").glob("*.conf")):
        notes.append(
            f"conf/services/{file.name}: a service of your own, or a changed one; write chains or "
            "rules for it (man 7 pyruse-rules)"
        )
    for file in sorted((folder / "scripts").rglob("*")):
        if file.is_file():
            notes.append(f"{file.relative_to(folder)}: a program that reads lines; left out")
    for key, value in _options(conf / "override.conf", "override.conf", notes):
        notes.append(f"override.conf: {key} = {value}: has no counterpart; left out")
