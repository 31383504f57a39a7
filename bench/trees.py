"""Small Debian systems in folders: made by debootstrap, booted by systemd-nspawn."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterable
from pathlib import Path

MIRROR = "http://deb.debian.org/debian"
_UNIT = """[Unit]
After=multi-user.target
[Service]
ExecStart=/root/script
[Install]
WantedBy=multi-user.target
"""


def make(tree: Path, suite: str, packages: Iterable[str], variant: str = "minbase") -> None:
    """Make a tree, unless it is there.

    :param tree: the folder; when it exists, it is whole.
    :param suite: the release of Debian, such as ``trixie``.
    :param packages: what is in it besides what every Debian has.
    :param variant: as debootstrap(8) has it.
    """
    if tree.exists():
        return
    half = tree.with_name(f"{tree.name}.half")
    shutil.rmtree(half, ignore_errors=True)
    half.parent.mkdir(parents=True, exist_ok=True)
    included = f"--include={','.join(packages)}"
    run("debootstrap", f"--variant={variant}", included, suite, half, MIRROR)
    shutil.copy("/etc/resolv.conf", half / "etc/resolv.conf")
    half.rename(tree)


def copy(tree: Path, target: Path) -> None:
    """Copy a tree: by reference, where the file system can do so."""
    run("cp", "-a", "--reflink=auto", tree, target)


def install(tree: Path, *packages: str) -> None:
    """Install Debian's packages in a tree; no service is started."""
    policy = tree / "usr/sbin/policy-rc.d"
    policy.write_text("#!/bin/sh\nexit 101\n")
    policy.chmod(0o755)
    inside(tree, "apt-get update -qq; DEBIAN_FRONTEND=noninteractive apt-get install -y -qq "
           f"--no-install-recommends {' '.join(packages)}")  # fmt: skip
    policy.unlink()


def inside(tree: Path, command: str, **environment: str) -> None:
    """Run a command of the shell in a tree that is not booted."""
    given = [f"{name}={value}" for name, value in environment.items()]
    run("chroot", tree, "env", "-i", "PATH=/usr/sbin:/usr/bin:/sbin:/bin", *given, "sh", "-ec",
        command)  # fmt: skip


def boot(tree: Path, script: str, longest: float) -> None:
    """Boot a tree, run a script in it, and wait until it is off.

    :param script: for bash; its output is in /root/script.log, and the machine goes off behind it.
    :param longest: seconds, after which the machine is killed.
    """
    text = "#!/bin/bash\nexec >/root/script.log 2>&1\ntrap 'systemctl poweroff' EXIT\n" + script
    (tree / "root/script").write_text(text)
    (tree / "root/script").chmod(0o755)
    units = tree / "etc/systemd/system"
    (units / "script.service").write_text(_UNIT)
    wants = units / "multi-user.target.wants"
    wants.mkdir(parents=True, exist_ok=True)
    if not (wants / "script.service").is_symlink():
        (wants / "script.service").symlink_to("/etc/systemd/system/script.service")
    (tree / "var/log/journal").mkdir(exist_ok=True)
    start(tree, longest)


def start(tree: Path, longest: float) -> None:
    """Boot a tree as it is, and wait until it is off.

    :param longest: seconds, after which the machine is killed.
    """
    command = [
        "systemd-nspawn", "-q", "-D", str(tree), "-b", "--private-network", "--register=no",
        "--keep-unit", "--link-journal=no", "--capability=CAP_NET_ADMIN",
        f"--machine=tree{os.getpid()}",
    ]  # fmt: skip
    subprocess.run(command, timeout=longest, check=False, capture_output=True)


def run(*command: str | Path) -> None:
    """Run a program, which has to end well.

    :raises SystemExit: it does not; what it said is told.
    """
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode:
        said = (done.stdout + done.stderr)[-4000:]
        raise SystemExit(f"{' '.join(map(str, command))}: {done.returncode}\n{said}")
