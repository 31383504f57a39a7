"""A host for daemons that are not Pyruse: with users and settings of its own, and a journald.

Its processes have the network of a namespace, and see a file system in which a test's own journald
is that of the machine: what they log to ``/dev/log`` or by the native protocol is there. Nothing of
it is seen outside, or stays.
"""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path
from types import TracebackType
from typing import Self

from pyruse.testing.journald import Journald
from pyruse.testing.namespace import NetworkNamespace

PASSWORD = "correct horse"
_HASH = (
    "$6$pyruse$u7XaoJCZvmIrwkuYXmmRQI9ZW0pGG.kmtHwfze5s67vdcUcC02N"
    "/IS9CSZiGhMP98UtZub9a4H1EKrhRiAaPx1"
)
_USERS = 2000  # the first user's number
_DATABASES = ("passwd", "group", "shadow")

_ENTER = r"""
set -e
folder=$1 journal=$2
mkdir "$folder/dev" "$folder/journal"
mount --make-rprivate /
mount -t tmpfs none "$folder/dev"
for name in null zero full random urandom tty; do
    touch "$folder/dev/$name"
    mount --bind "/dev/$name" "$folder/dev/$name"
done
mkdir "$folder/dev/pts" "$folder/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666,mode=620 none "$folder/dev/pts"
ln -s pts/ptmx "$folder/dev/ptmx"
ln -s /proc/self/fd "$folder/dev/fd"
ln -s /run/systemd/journal/dev-log "$folder/dev/log"
mount --bind "$journal" "$folder/journal"
mount -t tmpfs -o mode=755 none /run
mkdir -p /run/systemd/journal /run/sshd
mount --move "$folder/journal" /run/systemd/journal
mount --move "$folder/dev" /dev
cd "$folder/root"
find . -type f -printf '%P\n' | while read -r name; do
    case $name in
        run/*) mkdir -p "/${name%/*}"; cp -p "$name" "/$name" ;;
        *) mount --bind "$name" "/$name" ;;
    esac
done
echo ready
exec sleep infinity
"""


def unavailable(*programs: str) -> str | None:
    """Why there can be no host with these programs here; None: there can."""
    for program in ("unshare", "nsenter", *programs):
        if _found(program) is None:
            return f"{program} is not installed"
    return None


class Host:
    """A host, as context manager: it ends with all that was started on it."""

    def __init__(
        self,
        network: NetworkNamespace,
        journald: Journald,
        folder: Path,
        users: Sequence[str] = (),
        files: Mapping[str, str] | None = None,
    ) -> None:
        """Make nothing yet.

        :param network: the network that it has.
        :param journald: its journald.
        :param folder: an empty folder.
        :param users: who has an account, with `PASSWORD`.
        :param files: what is in its files, by absolute path: in ``/run``, which has nothing else,
            or instead of a file that this machine has.
        """
        self._folder = folder
        self._network = network
        self._journald = journald
        self._root = folder / "root"
        self._started: list[subprocess.Popen[str]] = []
        accounts = {f"/etc/{name}": Path("/etc", name).read_text() for name in _DATABASES}
        for number, user in enumerate(users, start=_USERS):
            accounts["/etc/passwd"] += f"{user}:x:{number}:{number}::/tmp:/bin/sh\n"
            accounts["/etc/group"] += f"{user}:x:{number}:\n"
            accounts["/etc/shadow"] += f"{user}:{_HASH}:19000:0:99999:7:::\n"
        for name, text in {**accounts, **(files or {})}.items():
            file = self._root / name[1:]
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(text)
            secret = name.endswith(("shadow", "sudoers")) or "PRIVATE KEY" in text
            file.chmod(0o400 if secret else 0o644)

    def __enter__(self) -> Self:
        """Make the host.

        :raises RuntimeError: it cannot be made.
        """
        command = ["unshare", "--mount", "sh", "-c", _ENTER, "sh"]
        self._holder = self._network.start(
            [*command, str(self._folder), str(self._journald.socket.parent)]
        )
        assert self._holder.stdout is not None
        if self._holder.stdout.readline() != "ready\n":
            raise RuntimeError("the host could not be made; what failed is on standard error")
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        fault: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for process in (*self._started, self._holder):
            process.kill()
            process.communicate()

    def start(self, command: Sequence[str]) -> subprocess.Popen[str]:
        """Start a program that is killed at the end."""
        process = self._network.start(self._inside(command))
        self._started.append(process)
        return process

    def run(self, command: Sequence[str], user: str | None = None, text: str = "") -> int:
        """Run a program to its end.

        :param user: whose program it is; None: root's.
        :param text: its standard input.
        :return: its exit code.
        """
        if user is not None:
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command]
        done = subprocess.run(
            [*self._network.prefix, *self._inside(command)], input=text, text=True,
            capture_output=True, check=False,
        )  # fmt: skip
        return done.returncode

    def _inside(self, command: Sequence[str]) -> list[str]:
        return ["nsenter", f"--target={self._holder.pid}", "--mount", "--wd=/", *command]


def _found(program: str) -> str | None:
    return shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")
