"""fail2ban itself, in a process of its own: which addresses it bans for entries of the journal.

This file is run by the Python that has fail2ban, and imports nothing of Pyruse. Its argument is the
folder of the configuration. Standard input has a line of JSON for each entry: its fields, and the
time in seconds. Standard output has a line for each ban: the jail, and the address.
"""

from __future__ import annotations

import importlib
import ipaddress
import json
import logging
import sys
from typing import Any


def _of(module: str, name: str) -> Any:
    return getattr(importlib.import_module(f"fail2ban.{module}"), name)


class _Jail:
    """A jail, without its actions."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.filter = _of("server.filter", "Filter")(None)
        self.filter.returnRawHost = True  # names are not resolved
        self.filter.checkFindTime = False
        self.filter.active = True
        self.failures = _of("server.failmanager", "FailManager")()
        self.matches: list[list[str]] = []
        self.spared: list[Any] = []

    def set(self, option: str, values: list[Any]) -> None:
        """Take what the configuration says."""
        times = _of("server.mytime", "MyTime")
        if option == "addjournalmatch":
            self.matches.append([str(value) for value in values])
            return
        if option == "addignoreip":
            for value in values:
                try:
                    self.spared.append(ipaddress.ip_network(value, strict=False))
                except ValueError:
                    continue
            return
        for value in values:
            if option == "prefregex":
                self.filter.prefRegex = value
            elif option == "addfailregex":
                self.filter.addFailRegex(value)
            elif option == "addignoreregex":
                self.filter.addIgnoreRegex(value)
            elif option == "maxlines":
                self.filter.setMaxLines(value)
            elif option == "maxretry":
                self.failures.setMaxRetry(int(value))
            elif option == "findtime":
                self.failures.setMaxTime(times.str2seconds(value))

    def wants(self, entry: dict[str, Any]) -> bool:
        """Whether an entry is one of those that ``journalmatch`` chooses."""
        if not self.matches:
            return True
        for match in self.matches:
            way: dict[str, set[str]] = {}
            for word in [*match, "+"]:
                if word != "+":
                    field, _, value = word.partition("=")
                    way.setdefault(field, set()).add(value)
                elif way:
                    if all(str(entry.get(field)) in allowed for field, allowed in way.items()):
                        return True
                    way = {}
        return False

    def banned(self, line: str, at: float) -> list[str]:
        """Whom a line has banned."""
        ticket_class = _of("server.ticket", "FailTicket")
        empty = _of("server.failmanager", "FailManagerEmpty")
        found = []
        for _, address, _, failure in self.filter.processLine(("", "", line), at):
            if address is None or failure.get("nofail"):
                continue
            try:
                plain = ipaddress.ip_address(str(address))
            except ValueError:
                continue
            if any(plain in network for network in self.spared):
                continue
            self.failures.addFailure(ticket_class(str(address), at))
            try:
                while True:
                    found.append(str(self.failures.toBan(str(address)).getIP()))
            except empty:
                pass
        return found


def _jails(folder: str) -> list[_Jail]:
    reader = _of("client.jailsreader", "JailsReader")(basedir=folder)
    reader.read()
    reader.getOptions(ignoreWrong=True)
    jails: dict[str, _Jail] = {}
    for command in reader.convert(allow_no_files=True):
        if command[0] == "add":
            jails[command[1]] = _Jail(command[1])
        elif command[0] == "set" and command[1] in jails:
            jails[command[1]].set(command[2], command[3:])
        elif command[0] == "multi-set" and command[1] in jails:
            jails[command[1]].set(command[2], command[3])
    return list(jails.values())


def _line(entry: dict[str, Any]) -> str:
    """The line that fail2ban makes of an entry."""
    name = entry.get("SYSLOG_IDENTIFIER") or entry.get("_COMM") or ""
    process = entry.get("SYSLOG_PID") or entry.get("_PID")
    program = f"{name}[{process}]:" if process else f"{name}:"
    message = str(entry.get("MESSAGE", "")).replace("\n", "\\n")
    return f"{entry.get('_HOSTNAME', '')} {program} {message}"


def main() -> None:
    """Ban whom the entries tell of."""
    logging.disable(logging.CRITICAL)
    jails = _jails(sys.argv[1])
    clock = _of("server.mytime", "MyTime")
    for text in sys.stdin:
        entry = json.loads(text)
        at = float(entry["at"])
        clock.setTime(at)
        line = _line(entry)
        for jail in jails:
            if jail.wants(entry):
                for address in jail.banned(line, at):
                    sys.stdout.write(json.dumps({"jail": jail.name, "ip": address}) + "\n")


if __name__ == "__main__":
    main()
