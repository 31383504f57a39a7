"""From a bare Debian to a protected sshd, and what its own journal looks like then.

    python -m bench.first_minute               # as root; makes a tree by debootstrap, and boots it
    python -m bench.first_minute --tree DIR    # keeps the tree there, or uses one that is there

The tree has sshd, postfix, dovecot, nginx, cron and others from Debian's packages, and Pyruse in a
virtual environment. It is booted by systemd-nspawn, and one command protects it: ``pyruse init
--service --yes --to root``. Then somebody from another address guesses passwords, a user logs in,
and another one forges lines.
"""

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from bench import trees

ROOT = Path(__file__).parents[1]
_PACKAGES = (
    "systemd,systemd-sysv,dbus,libpam-systemd,openssh-server,openssh-client,sshpass,cron,logrotate,"
    "sudo,nftables,iproute2,python3-venv,python3-systemd,unattended-upgrades,anacron,e2fsprogs,udev"
)
_SERVICES = ("postfix", "dovecot-imapd", "nginx-light")
_MIRROR = "http://deb.debian.org/debian"
_LONGEST = 300  # seconds, of the container's life

_GUARD = r"""#!/bin/bash
exec > /root/guard.log 2>&1
set -x
sleep 5
began=$(date +%s.%N)
/opt/pyruse/bin/pyruse init --service --yes --to root; code=$?
ended=$(date +%s.%N)
useradd -m -s /bin/bash alice; echo alice:secret1 | chpasswd
ip netns add outside
ip link add v0 type veth peer name v1 netns outside
ip addr add 203.0.113.1/24 dev v0; ip link set v0 up
ip netns exec outside ip addr add 203.0.113.66/24 dev v1
ip netns exec outside ip addr add 203.0.113.77/24 dev v1
ip netns exec outside ip link set v1 up
options="-o StrictHostKeyChecking=no -o ConnectTimeout=3 -o PreferredAuthentications=password"
options="$options -o NumberOfPasswordPrompts=1"
login() { ip netns exec outside sshpass -p "$2" ssh $options -b "$1" "$3@203.0.113.1" true; }
login 203.0.113.77 mistyped alice
login 203.0.113.77 secret1 alice; honest=$?
for i in 1 2 3 4 5 6 7; do login 203.0.113.66 "guess$i" root; done; attacker=$?
su alice -c 'for i in 1 2 3 4 5 6 7; do
  logger -t sshd "Failed password for root from 198.51.100.9 port 22 ssh2"; done'
login 203.0.113.77 secret1 alice; again=$?
sleep 2
pyruse=/opt/pyruse/bin/pyruse
{ echo "{\"code\": $code, \"began\": $began, \"ended\": $ended, \"honest\": $honest,"
  echo "\"again\": $again, \"attacker\": $attacker, \"bans\":"; $pyruse bans --format json
  echo ', "recognised":'; $pyruse stats --recognised --format json
  echo ', "replay":'; $pyruse replay --format json; echo '}'; } > /root/result.json
systemctl poweroff
"""
_UNIT = """[Unit]
After=multi-user.target
[Service]
ExecStart=/root/guard.sh
[Install]
WantedBy=multi-user.target
"""


def main() -> None:
    """Make the tree, boot it, and print what came of it."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--tree", type=Path, help="where the tree is, or will be")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        tree = chosen.tree or Path(folder) / "tree"
        if not (tree / "etc").exists():
            _make(tree)
        put_pyruse(tree, Path(folder) / "wheels")
        _prepare(tree)
        _show(_boot(tree))


def _make(tree: Path) -> None:
    _run(
        [
            "debootstrap",
            "--variant=minbase",
            f"--include={_PACKAGES}",
            "bookworm",
            str(tree),
            _MIRROR,
        ]
    )
    (tree / "etc/resolv.conf").write_bytes(Path("/etc/resolv.conf").read_bytes())
    policy = tree / "usr/sbin/policy-rc.d"  # no service starts while it is installed
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    install = ["apt-get", "install", "-y", "-qq", *_SERVICES]
    _run(["chroot", str(tree), "env", "DEBIAN_FRONTEND=noninteractive", *install])
    policy.unlink()


def put_pyruse(tree: Path, wheels: Path) -> None:
    """Put Pyruse into /opt/pyruse of a tree; systemd's Python module is Debian's.

    :param wheels: a folder for what is installed.
    """
    _run([sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", str(wheels), str(ROOT)])
    libraries = ["click", "jinja2", "msgspec", "packaging", "pluggy", "rich", "tomli-w"]
    download = ["download", "-q", "-d", str(wheels), "--only-binary=:all:", "--python-version=3.11"]
    _run([sys.executable, "-m", "pip", *download, *libraries])
    (tree / "root/wheels").mkdir(exist_ok=True)
    for file in wheels.iterdir():
        (tree / "root/wheels" / file.name).write_bytes(file.read_bytes())
    inside = (
        "test -d /opt/pyruse || python3 -m venv --system-site-packages /opt/pyruse; "
        "/opt/pyruse/bin/pip install -q --no-index --force-reinstall --no-deps /root/wheels/*.whl"
    )
    _run(["chroot", str(tree), "sh", "-c", inside])


def _prepare(tree: Path) -> None:
    """Have the tree run the script when it is booted."""
    (tree / "root/guard.sh").write_text(_GUARD)
    (tree / "root/guard.sh").chmod(0o755)
    unit = tree / "etc/systemd/system/guard.service"
    unit.write_text(_UNIT)
    wants = tree / "etc/systemd/system/multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    for old in wants.glob("*.service"):
        if old.name in ("guard.service", "pyruse.service"):
            old.unlink()
    (wants / "guard.service").symlink_to("/etc/systemd/system/guard.service")
    _run(["chroot", str(tree), "sh", "-c", "rm -rf /etc/pyruse /var/lib/pyruse /root/result.json "
          "/etc/systemd/system/pyruse.service* /etc/*.d/pyruse.conf /var/log/journal/*; userdel -r "
          "alice; mkdir -p /var/log/journal"])  # fmt: skip


def _boot(tree: Path) -> dict[str, Any]:
    trees.start(tree, _LONGEST)
    result: dict[str, Any] = json.loads((tree / "root/result.json").read_text())
    return result


def _show(result: dict[str, Any]) -> None:
    banned = [ban["ip"] for ban in result["bans"]]
    report = result["replay"]["report"]
    known = result["recognised"]
    rows = {
        "seconds of pyruse init": f"{result['ended'] - result['began']:.1f}",
        "its exit code": result["code"],
        "banned (expected 203.0.113.66 alone)": ", ".join(banned),
        "the attacker's last login (expected 255: no answer)": result["attacker"],
        "the user's logins, with one mistyped password before (expected 0, 0)":
            f"{result['honest']}, {result['again']}",
        "entries": known["entries"],
        "recognised": f"{known['recognised']:.1%}",
        "in `other`": len(report["other"]),
        "important rows": len(report["important"]),
    }  # fmt: skip
    for what, value in rows.items():
        print(f"{what}: {value}")
    for row in report["important"]:
        print(f"    {row['count']} × {row['message'][:120]}")


def _run(command: list[str]) -> None:
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL)


if __name__ == "__main__":
    main()
