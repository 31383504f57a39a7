"""The small daemons and jobs: dbus, chrony, smartd, certbot, unattended-upgrades."""

from __future__ import annotations

from collections.abc import Iterator
from random import Random

from .model import CRITICAL, DAEMON, INFO, WARNING, Day, Line, Program, clock, steady_times

DBUS = Program(
    "dbus-daemon",
    "dbus.service",
    "/usr/bin/dbus-daemon",
    uid=100,
    transport="journal",
    cmdline="@dbus-daemon --system --address=systemd: --nofork --nopidfile --systemd-activation",
)
CHRONY = Program("chronyd", "chrony.service", "/usr/sbin/chronyd", uid=107)
SMARTD = Program("smartd", "smartmontools.service", "/usr/sbin/smartd")
CERTBOT = Program(
    "certbot",
    "certbot.service",
    "/usr/bin/python3.11",
    transport="stdout",
    comm="certbot",
    cmdline="/usr/bin/python3 /usr/bin/certbot -q renew --no-random-sleep-on-renew",
)
UPGRADES = Program(
    "unattended-upgrade",
    "apt-daily-upgrade.service",
    "/usr/bin/python3.11",
    comm="unattended-upgr",
    cmdline="/usr/bin/python3 /usr/bin/unattended-upgrade",
)

_BUS_NAMES = ("hostname1", "timedate1", "locale1")

_UPGRADE = (
    "Starting unattended upgrades script",
    "Allowed origins are: origin=Debian,codename=bookworm,label=Debian-Security",
    "Initial blacklist: ",
    "Initial whitelist (not strict): ",
    "Packages that will be upgraded: libssl3 nginx openssl",
    "Writing dpkg log to /var/log/unattended-upgrades/unattended-upgrades-dpkg.log",
    "All upgrades installed",
)
_RENEWAL = (
    "Renewing an existing certificate for www.example.org",
    "Congratulations, all renewals succeeded:",
    "  /etc/letsencrypt/live/www.example.org/fullchain.pem (success)",
)
_NO_RENEWAL = ("No renewals were attempted.",)


def lines(day: Day, rng: Random) -> Iterator[Line]:
    """All that these log in a day."""
    for at in steady_times(rng, "00:12", 4200, 20):
        yield from _activation(day, rng, at)
    yield from _chrony()
    yield from _smartd(rng)
    for number, text in enumerate(_UPGRADE):
        yield UPGRADES.says(clock("06:21:30") + 7 * number, text, day.pid(clock("06:21")))
    for start, texts in (("02:49:04", _RENEWAL), ("15:12:04", _NO_RENEWAL)):
        for number, text in enumerate(texts):
            yield CERTBOT.says(clock(start) + number, text, day.pid(clock(start)))


def _activation(day: Day, rng: Random, at: float) -> Iterator[Line]:
    name = rng.choice(_BUS_NAMES)
    unit = f"dbus-org.freedesktop.{name}.service"
    by = f'(uid=0 pid={day.pid(at)} comm="hostnamectl status" label="unconfined")'
    activating = f"Activating via systemd: service name='org.freedesktop.{name}' unit='{unit}'"
    requested = f"requested by ':1.{rng.randrange(100, 900)}' {by}"
    yield DBUS.says(at, f"[system] {activating} {requested}", 588)
    done = f"[system] Successfully activated service 'org.freedesktop.{name}'"
    yield DBUS.says(at + 0.2, done, 588)


def _chrony() -> Iterator[Line]:
    for start, text, priority in (
        ("04:12:50", "Source 203.0.113.123 offline", INFO),
        ("04:12:51", "Can't synchronise: no selectable sources", INFO),
        ("04:31:02", "Selected source 198.51.100.123 (ntp1.example.net)", INFO),
        ("13:02:44", "Selected source 203.0.113.123 (ntp2.example.net)", INFO),
        ("19:44:10", "System clock wrong by 1.104311 seconds", WARNING),
    ):
        yield CHRONY.says(clock(start), text, 702, priority, SYSLOG_FACILITY=DAEMON)


def _smartd(rng: Random) -> Iterator[Line]:
    attribute = "SMART Usage Attribute: 194 Temperature_Celsius changed from"
    for at in steady_times(rng, "00:14:30", 1800, 47):
        disk, degrees = rng.choice("ab"), rng.randrange(112, 120)
        text = f"Device: /dev/sd{disk} [SAT], {attribute} {degrees} to {degrees - 1}"
        yield SMARTD.says(at, text, 655)
    for start in ("03:44:30", "04:14:30"):
        text = "Device: /dev/sdb [SAT], 8 Currently unreadable (pending) sectors"
        yield SMARTD.says(clock(start), text, 655, CRITICAL)
    text = "Device: /dev/sdb [SAT], ATA error count increased from 0 to 1"
    yield SMARTD.says(clock("03:44:31"), text, 655, CRITICAL)
