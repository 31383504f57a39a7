"""The daily report in a mailbox: on Debian with Postfix, Exim, OpenSMTPD, dma, msmtp, and nothing.

    python -m bench.mailbox                          # as root: all of them
    python -m bench.mailbox --mail exim --mail none
    python -m bench.mailbox --base DIR               # a tree of Debian 12 that is there, or is kept

Each way of mail is installed as Debian has it, in a tree that systemd-nspawn boots. `pyruse init
--service --yes` is all that is typed. Midnight is made to come in the time zone of the reports, for
the clock is the machine's. Then the same is tried with a configuration that names no way at all.

Exits with 1 where a report is in no mailbox, or where Pyruse says something else than what is.
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
from dataclasses import dataclass
from pathlib import Path

from bench import trees
from bench.first_minute import put_pyruse

_BASE = (
    "systemd", "systemd-sysv", "dbus", "nftables", "python3-venv", "python3-systemd", "tzdata",
    "iproute2", "procps",
)  # fmt: skip
_LONGEST = 400  # seconds, of a machine's life


@dataclass(frozen=True)
class Way:
    """How a machine has mail."""

    packages: str
    answers: str = ""
    """To the questions of the packages, for debconf-set-selections(1)."""
    to: str = "root"
    prepare: str = ""
    """A command in the tree, before it is booted."""
    by: str | None = "smtp://localhost"
    """The way that `pyruse init` is to choose; None: there is none."""
    drop_in: bool = False
    """Whether the service needs sendmail.conf."""
    by_hand: bool = True
    """Whether mail leaves, too, where the configuration names no way, and without the drop-in."""


_PROTOCOLS = "postfix postfix/protocols select all\n"
"""In a tree without a network, Debian's script finds no protocol at all."""
_RELAY = """account default
host localhost
port 2525
from pyruse@box.example.org
"""
_SINK = r"""
import socket
server = socket.create_server(("127.0.0.1", 2525))
while True:
    connection, _ = server.accept()
    with connection, connection.makefile("rwb", 0) as lines, open("/var/mail/sink", "ab") as box:
        lines.write(b"220 sink\r\n")
        while line := lines.readline():
            if line[:4].upper() == b"DATA":
                lines.write(b"354 go on\r\n")
                while (line := lines.readline()) != b".\r\n":
                    box.write(line)
            lines.write(b"221 end\r\n" if line[:4].upper() == b"QUIT" else b"250 ok\r\n")
            if line[:4].upper() == b"QUIT":
                break
"""

WAYS = {
    "postfix": Way(
        "postfix",
        f"{_PROTOCOLS}postfix postfix/main_mailer_type select Internet Site\n"
        "postfix postfix/mailname string box.example.org\n",
    ),
    "postfix-local": Way(
        "postfix",
        f"{_PROTOCOLS}postfix postfix/main_mailer_type select Local only\n"
        "postfix postfix/mailname string box.example.org\n",
    ),
    "postfix-silent": Way(  # it listens nowhere
        "postfix",
        f"{_PROTOCOLS}postfix postfix/main_mailer_type select Local only\n"
        "postfix postfix/mailname string box.example.org\n",
        prepare="postconf -MX smtp/inet",
        by="/usr/sbin/sendmail",
        drop_in=True,
        by_hand=False,
    ),
    "exim": Way("exim4-daemon-light"),
    "opensmtpd": Way("opensmtpd", to="alice"),  # it delivers nothing to root
    "dma": Way("dma", by="/usr/sbin/sendmail", drop_in=True, by_hand=False),
    "msmtp": Way(
        "msmtp-mta",
        prepare=f"printf '{_RELAY}' > /etc/msmtprc; chmod 644 /etc/msmtprc",
        to="you@example.org",
        by="/usr/sbin/sendmail",
    ),
    "msmtp-bare": Way("msmtp-mta", by=None, by_hand=False),
    "none": Way("", by=None, by_hand=False),
}

_SCRIPT = r"""
to=@TO@
result=/root/result; mkdir -p $result
tell() { printf '%s\n' "$2" > "$result/$1"; }
wait_for() { for _ in $(seq "$1"); do eval "$2" && return 0; sleep 1; done; return 1; }
pyruse=/opt/pyruse/bin/pyruse
boxes='/var/mail /home/alice/Maildir'
set -x
systemctl is-system-running --wait >/dev/null
useradd -m alice
python3 /root/sink.py & echo 'Journal has something' | systemd-cat -t test
# A mail server may be slow to start.
[ @LISTENS@ = 0 ] || wait_for 60 'ss -ltn | grep -q ":25 "'

$pyruse init --service --yes @OPTION@ > $result/init 2>&1; tell init_code $?
cat /etc/pyruse/pyruse.toml > $result/configuration
ls /etc/systemd/system/pyruse.service.d > $result/drop_ins
$pyruse check > $result/check 2>&1; tell check_code $?
$pyruse test-mail > $result/trial 2>&1; tell trial_code $?

$pyruse test-mail --to "müller@$(hostname)" > $result/utf8 2>&1

# Midnight comes in half a minute, somewhere.
now=$(date -u +%s); east=$(( (86400 - (now + 30) % 86400) % 86400 ))
[ $east -lt 43200 ] || east=$(( east - 86400 ))
sign=; [ $east -ge 0 ] || { sign=-; east=$(( -east )); }
mkdir -p /etc/pyruse/conf.d
echo "Zone Test/Soon $sign$((east/3600)):$((east/60%60)):$((east%60)) - SOON" > /root/zone
zic -d /usr/share/zoneinfo /root/zone
# Rules may have [report] already, but for the zone.
grep -q '^\[report\]' /etc/pyruse/pyruse.toml &&
  sed -i 's#^\[report\]#&\ntimezone = "Test/Soon"#' /etc/pyruse/pyruse.toml ||
  printf '[report]\ntimezone = "Test/Soon"\n' > /etc/pyruse/conf.d/soon.toml
systemctl restart pyruse
wait_for 90 'grep -rqs "^List-Id: <pyruse" $boxes'; tell reported $?
grep -rls "^List-Id: <pyruse" $boxes > $result/report_in
sleep 3
$pyruse report --list > $result/list 2>&1
$pyruse status > $result/status 2>&1; tell status_code $?
$pyruse report --send > $result/send 2>&1; tell send_code $?
$pyruse outbox > $result/outbox 2>&1
ls /var/lib/pyruse/reports > $result/archive

# Nobody has called init: the configuration names no way, and there is no drop-in.
rm -rf /etc/systemd/system/pyruse.service.d; sed -i '/^smtp = /d' /etc/pyruse/pyruse.toml
systemctl daemon-reload; systemctl restart pyruse
$pyruse check > $result/by_hand_check 2>&1
$pyruse test-mail > $result/by_hand_trial 2>&1; tell by_hand_code $?
$pyruse status > $result/by_hand_status 2>&1
wait_for 20 '[ $(grep -rhs "a test of Pyruse" $boxes | wc -l) -ge 2 ]'
tell trials "$(grep -rhs 'a test of Pyruse' $boxes | wc -l)"
grep -rhs '^From:\|^To:' $boxes | sort | uniq -c > $result/headers
journalctl -u pyruse -o cat > $result/log
"""


def main() -> None:
    """Boot each, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--mail", action="append", choices=[*WAYS], help="several times")
    parser.add_argument("--base", type=Path, help="where a tree of Debian 12 is, or will be")
    chosen = parser.parse_args()
    well = True
    with tempfile.TemporaryDirectory() as folder:
        base = chosen.base or Path(folder) / "base"
        trees.make(base, "bookworm", _BASE)
        for name in chosen.mail or WAYS:
            tree = Path(folder) / "tree"
            trees.copy(base, tree)
            try:
                result = live(tree, WAYS[name], Path(folder) / "wheels")
            finally:
                shutil.rmtree(tree)
            well &= show(name, WAYS[name], result)
    sys.exit(not well)


def live(tree: Path, way: Way, wheels: Path) -> dict[str, str]:
    """Give a tree mail and Pyruse, and boot it; what its script told, by name."""
    put_pyruse(tree, wheels)
    if way.answers:
        trees.inside(tree, f"printf '{way.answers}' | debconf-set-selections")
    if way.packages:
        trees.install(tree, *way.packages.split())
    if way.prepare:
        trees.inside(tree, way.prepare)
    (tree / "root/sink.py").write_text(_SINK)
    listens = int(way.by == "smtp://localhost")
    option = "" if way.to == "root" else f"--to {way.to}"
    script = _SCRIPT.replace("@TO@", way.to).replace("@LISTENS@", str(listens))
    trees.boot(tree, script.replace("@OPTION@", option), _LONGEST)
    return {
        file.name: file.read_text("utf-8", "replace").strip()
        for file in (tree / "root/result").iterdir()
    }


def wrong(way: Way, result: dict[str, str]) -> list[str]:
    """What is not as it should be."""
    found = []

    def expect(what: str, is_so: object) -> None:
        if not is_so:
            found.append(what)

    arrives = way.by is not None
    expect("init ends well", result.get("init_code") == "0")
    expect("the report is in a mailbox, or nowhere", (result.get("reported") == "0") is arrives)
    expect("test-mail tells the truth", (result.get("trial_code") == "0") is arrives)
    expect("report --send works, by mail or into the archive", result.get("send_code") == "0")
    expect("the drop-in is there where it is needed",
           ("sendmail.conf" in result.get("drop_ins", "")) is way.drop_in)  # fmt: skip
    expect("check has no warning of mail", "[email]" not in result.get("check", ""))
    if arrives:
        expect("init says which way", f"goes to {way.by}" in result.get("init", ""))
        expect("the list says that the report was taken", "\tsent\t" in result.get("list", ""))
        expect("status is well", result.get("status_code") == "0")
    else:
        expect("init says that there is none", "No mail can leave" in result.get("init", ""))
        expect("the report is kept", result.get("archive"))
    expect("by hand, as expected", (result.get("by_hand_code") == "0") is way.by_hand)
    if arrives and not way.by_hand:
        expect("check says the remedy", "sendmail.conf in place" in result["by_hand_check"])
        expect("status says the remedy", "sendmail.conf in place" in result["by_hand_status"])
    return found


def show(name: str, way: Way, result: dict[str, str]) -> bool:
    """Print what came of it; whether all was as it should be."""
    print(f"== {name}")
    for key in ("init", "trial", "utf8", "report_in", "list", "by_hand_trial"):
        print(f"{key}: {result.get(key)}")
    faults = wrong(way, result)
    if faults:
        print(json.dumps({key: result[key] for key in sorted(result)}, indent=1))
    for fault in faults:
        print(f"WRONG: {fault}")
    sys.stdout.flush()
    return not faults


if __name__ == "__main__":
    main()
