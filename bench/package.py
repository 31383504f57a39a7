"""The Debian package on a machine: installed, attacked, upgraded, removed, purged.

    python -m bench.package                         # as root; all of it, for bookworm
    python -m bench.package --suite trixie --mail none --mail exim
    python -m bench.package --trees DIR             # keeps what debootstrap made there, or uses it

The package is built in a tree of its release; the version before is it, too, or a file that
--before names. Then for each way of mail a tree is booted by systemd-nspawn; one script does what
an administrator and an attacker do. Midnight is made to come in the time zone of the reports, for
the clock is the machine's.
"""

from __future__ import annotations

import argparse
import json
import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import trees

ROOT = Path(__file__).parents[1]
_BUILDS = (
    "debhelper", "python3", "python3-venv", "python3-dev", "libsystemd-dev", "pkgconf", "git",
    "ca-certificates", "mandoc",
)  # fmt: skip
_BASE = (
    "systemd", "systemd-sysv", "dbus", "libpam-systemd", "python3", "openssh-server", "sshpass",
    "openssh-client", "sudo", "nftables", "iproute2", "libsystemd0", "procps", "tzdata",
)  # fmt: skip
_MAIL = {
    "postfix": (
        "echo postfix postfix/main_mailer_type select Local only | debconf-set-selections; "
        "echo postfix postfix/mailname string box.example.org | debconf-set-selections",
        "postfix",
    ),
    "exim": ("true", "exim4-daemon-light"),
    "none": ("true", ""),
}
_PYTHON = {"bookworm": "3.11", "trixie": "3.13"}
_LONGEST = 600  # seconds, of a machine's life

_SCRIPT = r"""
result=/root/result; mkdir -p $result
tell() { printf '%s\n' "$2" > "$result/$1"; }
files() { find / -xdev \( -path /proc -o -path /sys -o -path /run -o -path /tmp -o -path /root \
  -o -path /var/log -o -path /var/lib/dpkg -o -path /var/cache -o -path /var/mail \
  -o -path /var/spool -o -path /var/lib/systemd -o -path /var/lib/exim4 -o -path /var/lib/postfix \
  -o -path /etc/resolv.conf \) -prune -o -print | sort; }
table() { nft list table inet pyruse 2>/dev/null; }
banned() { table | grep -q 203.0.113.66; echo $?; }
wait_for() { for _ in $(seq "$1"); do eval "$2" && return 0; sleep 1; done; return 1; }
pid() { systemctl show -p MainPID --value pyruse; }
set -x
systemctl is-system-running --wait >/dev/null
cp /etc/passwd /root/passwd.before; files > /root/files.before

dpkg -i /root/before.deb > $result/install 2>&1; tell install_code $?
tell active "$(systemctl is-active pyruse)"; tell enabled "$(systemctl is-enabled pyruse)"
cat /etc/pyruse/pyruse.toml > $result/configuration
pyruse check; tell check_code $?
tell version "$(pyruse --version)"

# A plugin that needs a library.
export PIP_NO_INDEX=1 PIP_FIND_LINKS=/root/wheels
pyruse install pyruse-geoip > $result/plugin 2>&1; tell plugin_code $?

# Midnight comes in a minute, somewhere.
now=$(date -u +%s); east=$(( (86400 - (now + 60) % 86400) % 86400 ))
[ $east -lt 43200 ] || east=$(( east - 86400 ))
sign=; [ $east -ge 0 ] || { sign=-; east=$(( -east )); }
east="$sign$((east/3600)):$((east/60%60)):$((east%60))"
echo "Zone Test/Soon $east - SOON" > /root/zone
zic -d /usr/share/zoneinfo /root/zone
printf '[report]\ntimezone = "Test/Soon"\n' > /etc/pyruse/conf.d/soon.toml
systemctl restart pyruse

ip netns add outside
ip link add v0 type veth peer name v1 netns outside
ip addr add 203.0.113.1/24 dev v0; ip link set v0 up
ip netns exec outside ip addr add 203.0.113.66/24 dev v1
ip netns exec outside ip link set v1 up
options="-o StrictHostKeyChecking=no -o ConnectTimeout=3 -o PreferredAuthentications=password"
for i in 1 2 3 4 5 6 7; do
  ip netns exec outside sshpass -p "guess$i" ssh $options -o NumberOfPasswordPrompts=1 \
    root@203.0.113.1 true
done
wait_for 20 '[ "$(banned)" = 0 ]'
tell banned "$(banned)"
reports='/var/mail/root /var/mail/mail /var/lib/pyruse/reports'
wait_for 150 'grep -rqs "guesses passwords" $reports'
tell reported $?
grep -rls "guesses passwords" $reports > $result/report_in
grep -rhs -m1 '^Subject:' /var/mail > $result/subject
pyruse status > $result/status 2>&1

sum_before=$(sha256sum /etc/pyruse/pyruse.toml); pid_before=$(pid)
( while [ ! -e /root/upgraded ]; do banned; sleep 0.2; done ) > $result/meanwhile 2>/dev/null &
dpkg -i /root/after.deb > $result/upgrade 2>&1; tell upgrade_code $?
touch /root/upgraded; wait %1
tell upgraded_version "$(pyruse --version)"
tell upgraded_active "$(systemctl is-active pyruse)"
[ "$(pid)" != "$pid_before" ]; tell restarted $?
[ "$(sha256sum /etc/pyruse/pyruse.toml)" = "$sum_before" ]; tell configuration_kept $?
tell upgraded_banned "$(banned)"
pyruse bans --format json > $result/bans
pyruse plugins geoip >/dev/null; tell plugin_after_upgrade $?

echo '# mine' >> /etc/pyruse/conf.d/soon.toml
dpkg --remove pyruse > $result/remove 2>&1; tell remove_code $?
table; tell table_after_remove $?
[ -e /etc/pyruse/pyruse.toml ] && grep -q mine /etc/pyruse/conf.d/soon.toml &&
  [ -n "$(ls /var/lib/pyruse)" ]
tell kept_by_remove $?
dpkg -i /root/after.deb > $result/again 2>&1
wait_for 20 '[ "$(banned)" = 0 ]'; tell banned_again "$(banned)"

# A configuration with faults: the installation does not fail.
echo 'nonsense = 1' > /etc/pyruse/conf.d/wrong.toml
dpkg -i /root/after.deb > $result/faulty 2>&1; tell faulty_code $?

dpkg --purge pyruse > $result/purge 2>&1; tell purge_code $?
table; tell table_after_purge $?
rm -f /usr/share/zoneinfo/Test/Soon; rmdir /usr/share/zoneinfo/Test
files | diff /root/files.before - > $result/leftovers
diff /root/passwd.before /etc/passwd > $result/users
tell done yes
"""


def main() -> None:
    """Build, boot, and print what came of it; exit code 1 where it is not as expected."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--suite", default="bookworm", help="the release of Debian")
    parser.add_argument("--mail", action="append", choices=[*_MAIL], help="several times")
    parser.add_argument("--trees", type=Path, help="where trees are kept")
    parser.add_argument("--package", type=Path, metavar="DEB", help="instead of building one")
    parser.add_argument("--before", type=Path, metavar="DEB", help="the version before")
    parser.add_argument("--build-only", action="store_true", help="build into dist/, boot nothing")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        kept = chosen.trees or Path(folder) / "trees"
        built = Path(folder) / "built"
        built.mkdir()
        if chosen.package:
            current = Path(shutil.copy(chosen.package, built))
        else:
            current = build(kept, chosen.suite, built)
            (ROOT / "dist").mkdir(exist_ok=True)
            shutil.copy(current, ROOT / "dist")
            print(f"dist/{current.name}", flush=True)
        if chosen.build_only:
            return
        before = chosen.before or earlier(current)
        base = kept / f"{chosen.suite}-base"
        trees.make(base, chosen.suite, _BASE)
        wheels = plugin(Path(folder) / "wheels", chosen.suite)
        well = True
        for mail in chosen.mail or _MAIL:
            tree = Path(folder) / "tree"
            trees.copy(base, tree)
            result = live(tree, mail, before, current, wheels)
            well &= show(f"{chosen.suite}, mail: {mail}", result)
            shutil.rmtree(tree)
    sys.exit(not well)


def plugin(folder: Path, suite: str) -> Path:
    """A folder with a package of plugins as a wheel, and with the library that it needs."""
    pip = [sys.executable, "-m", "pip"]
    geoip = str(ROOT / "pyruse-contrib/pyruse-geoip")
    trees.run(*pip, "wheel", "-q", "--no-deps", "-w", str(folder), geoip)
    binary = ["--only-binary=:all:", f"--python-version={_PYTHON[suite]}", "--no-deps"]
    trees.run(*pip, "download", "-q", "-d", str(folder), *binary, "maxminddb")
    return folder


def earlier(package: Path) -> Path:
    """The same package with an earlier version."""
    whole = package.with_name("whole")
    trees.run("dpkg-deb", "--raw-extract", package, whole)
    control = whole / "DEBIAN/control"
    text = re.sub(r"(?m)^Version: .*$", "Version: 0~before", control.read_text("utf-8"))
    control.write_text(text, "utf-8")
    made = package.with_name("before.deb")
    trees.run("dpkg-deb", "-Zgzip", "--build", whole, made)
    shutil.rmtree(whole)
    return made


def build(kept: Path, suite: str, built: Path) -> Path:
    """Build the package in a tree of its release.

    :param kept: where trees are kept.
    :param built: where the package will be.
    """
    tree = kept / f"{suite}-build"
    trees.make(tree, suite, _BUILDS, "buildd")
    source = tree / "src"
    shutil.rmtree(source, ignore_errors=True)
    (source / "wheels").mkdir(parents=True)
    listed = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    files = subprocess.run(listed, cwd=ROOT, check=True, capture_output=True, text=True).stdout
    for name in filter(None, files.split("\0")):
        if (ROOT / name).is_file():
            (source / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, source / name)
    _download(source / "wheels", suite)
    stamp = subprocess.run(
        ["git", "log", "-1", "--format=%ct"], cwd=ROOT, check=True, capture_output=True, text=True
    ).stdout.strip()
    # What pip needs is there: it goes to no network from within the tree.
    environment = {
        "HOME": "/root", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": "/src/wheels", "LC_ALL": "C.UTF-8",
        "SOURCE_DATE_EPOCH": stamp,
    }  # fmt: skip
    trees.inside(tree, "cd /src && deploy/debian/build /src/out", **environment)
    (package,) = (source / "out").glob("*.deb")
    return Path(shutil.copy(package, built))


def _download(folder: Path, suite: str) -> None:
    """What bundle.sh installs, and what builds Pyruse and systemd-python."""
    python = _PYTHON[suite]
    pip = [sys.executable, "-m", "pip", "download", "-q", "-d", str(folder)]
    pins = (ROOT / "deploy/requirements.txt").read_text()
    compiled: list[str] = []
    others: list[str] = []
    for pin in re.split(r"(?m)^(?=[a-z])", pins):
        if not pin.startswith("#"):
            (compiled if pin.startswith("systemd-python") else others).append(pin)
    wanted = folder.parent / "others.txt"
    wanted.write_text("".join(others))
    binary = ["--only-binary=:all:", f"--python-version={python}", "--no-deps"]
    trees.run(*pip, *binary, "--require-hashes", "-r", str(wanted))
    wanted.write_text("".join(compiled))
    trees.run(*pip, "--no-deps", "--no-binary=:all:", "--require-hashes",
              "-r", str(wanted))  # fmt: skip
    wanted.unlink()
    tools = ["hatchling>=1.27", "setuptools", "wheel"]
    trees.run(*pip, "--only-binary=:all:", f"--python-version={python}", *tools)


def live(tree: Path, mail: str, before: Path, after: Path, wheels: Path) -> dict[str, str]:
    """Give a tree mail and the packages, and boot it; what its script told, by name."""
    prepare, package = _MAIL[mail]
    trees.inside(tree, prepare)
    if package:
        trees.install(tree, package)
    shutil.copy(before, tree / "root/before.deb")
    shutil.copy(after, tree / "root/after.deb")
    shutil.copytree(wheels, tree / "root/wheels")
    trees.boot(tree, _SCRIPT, _LONGEST)
    log = (tree / "root/script.log").read_text("utf-8", "replace")
    (ROOT / "build").mkdir(exist_ok=True)
    (ROOT / "build/package.log").write_text(log)
    return {
        file.name: file.read_text("utf-8", "replace").strip()
        for file in (tree / "root/result").iterdir()
    }


_EXPECTED = {
    "install_code": "0", "active": "active", "enabled": "enabled", "check_code": "0",
    "plugin_code": "0", "plugin_after_upgrade": "0", "banned": "0", "reported": "0",
    "upgrade_code": "0", "upgraded_active": "active",
    "restarted": "0", "configuration_kept": "0", "upgraded_banned": "0", "remove_code": "0",
    "table_after_remove": "1", "kept_by_remove": "0", "banned_again": "0", "faulty_code": "0",
    "purge_code": "0", "table_after_purge": "1", "leftovers": "", "users": "", "done": "yes",
}  # fmt: skip


def show(title: str, result: dict[str, Any]) -> bool:
    """Print what came of it; whether all was as it should be."""
    print(f"== {title}", flush=True)
    wrong = {name: value for name, value in _EXPECTED.items() if result.get(name) != value}
    if set(result.get("meanwhile", "1").split()) != {"0"}:
        wrong["meanwhile"] = "the ban in force all the time"
    if "it finds faults in the configuration" not in result.get("faulty", ""):
        wrong["faulty"] = "a line that it is not started"
    told = {name: value for name, value in sorted(result.items()) if name != "meanwhile"}
    print(json.dumps(told, indent=1))
    for name, value in wrong.items():
        print(f"WRONG: {name}: {result.get(name)!r} (expected {value!r})")
    return not wrong


if __name__ == "__main__":
    main()
