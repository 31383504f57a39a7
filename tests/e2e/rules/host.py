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
from tests.e2e.rules.units import Units

PASSWORD = "correct horse"
_HASH = (
    "$6$pyruse$u7XaoJCZvmIrwkuYXmmRQI9ZW0pGG.kmtHwfze5s67vdcUcC02N"
    "/IS9CSZiGhMP98UtZub9a4H1EKrhRiAaPx1"
)
_USERS = 2000  # the first user's number
_UNPACKED = Path(__file__).parents[3] / ".venv" / "unpacked"
_DATABASES = ("passwd", "group", "shadow")

_ENTER = r"""
set -e
folder=$1 journal=$2
shift 2
mkdir "$folder/dev" "$folder/journal" "$folder/over"
mount --make-rprivate /
[ $# = 0 ] || mount -t tmpfs none "$folder/over"
for name in usr etc var; do
    [ $# = 0 ] && continue
    lower=/$name
    for tree; do [ ! -d "$tree/$name" ] || lower="$tree/$name:$lower"; done
    upper="$folder/over/$name"
    mkdir "$upper" "$upper.work"
    mount -t overlay -o "lowerdir=$lower,upperdir=$upper,workdir=$upper.work" none "/$name"
done
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
mkdir -p /run/lock
find . -type f -printf '%P\n' | while read -r name; do
    case $#$name in
        ?run/* | [1-9]*) mkdir -p "/${name%/*}"; cp -p "$name" "/$name" ;;
        *) mount --bind "$name" "/$name" ;;
    esac
done
echo ready
exec sleep infinity
"""


def unpacked(*names: str) -> list[Path]:
    """The folders of what ``tools/setup.sh`` has unpacked, as it is not to be installed."""
    return [_UNPACKED / name for name in names]


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
        trees: Sequence[Path] = (),
        system_users: Mapping[str, int] | None = None,
        units: Units | None = None,
    ) -> None:
        """Make nothing yet.

        :param network: the network that it has.
        :param journald: its journald.
        :param folder: an empty folder.
        :param users: who has an account, with `PASSWORD`.
        :param files: what is in its files, by absolute path: in ``/run``, which has nothing else,
            or instead of a file that this machine has; with `trees`, anywhere.
        :param trees: folders that lie over ``/usr``, ``/etc`` and ``/var``: packages, unpacked.
            What is written there is gone at the end.
        :param system_users: who has an account and a group without a password, by their numbers.
        :param units: makes the units that `start` and `run` name.
        """
        self._folder = folder
        self._network = network
        self._journald = journald
        self._root = folder / "root"
        self._trees = trees
        self._units = units or Units()
        self._started: list[subprocess.Popen[str]] = []
        accounts = {f"/etc/{name}": Path("/etc", name).read_text() for name in _DATABASES}
        for number, user in enumerate(users, start=_USERS):
            accounts["/etc/passwd"] += f"{user}:x:{number}:{number}::/tmp:/bin/sh\n"
            accounts["/etc/group"] += f"{user}:x:{number}:\n"
            accounts["/etc/shadow"] += f"{user}:{_HASH}:19000:0:99999:7:::\n"
        for user, number in (system_users or {}).items():
            accounts["/etc/passwd"] += f"{user}:x:{number}:{number}::/nonexistent:/bin/false\n"
            accounts["/etc/group"] += f"{user}:x:{number}:\n"
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
            [*command, str(self._folder), str(self._journald.socket.parent), *map(str, self._trees)]
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
        for process in (
            *self._started,
            self._holder,
        ):  # what these have started, ends with the network
            process.kill()
            process.wait()

    def start(self, command: Sequence[str], unit: str | None = None) -> subprocess.Popen[str]:
        """Start a program that is killed at the end.

        :param unit: whose program it is for journald; None: the same as this process has.
        """
        process = subprocess.Popen(
            self._inside(command, unit),
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        self._started.append(process)
        return process

    def run(
        self,
        command: Sequence[str],
        user: str | None = None,
        text: str = "",
        unit: str | None = None,
    ) -> int:
        """Run a program to its end.

        :param user: whose program it is; None: root's.
        :param text: its standard input.
        :param unit: as for `start`.
        :return: its exit code.
        """
        if user is not None:
            command = ["setpriv", f"--reuid={user}", f"--regid={user}", "--init-groups", *command]
        done = subprocess.run(
            self._inside(command, unit), input=text, text=True, capture_output=True, check=False
        )  # fmt: skip
        return done.returncode

    def elsewhere(self, network: NetworkNamespace, command: Sequence[str]) -> int:
        """Run a program of this host, as if another one had it.

        :param network: of the other one.
        :return: its exit code.
        """
        whole = [*network.prefix, *self._enter(), *command]
        done = subprocess.run(whole, stdin=subprocess.DEVNULL, capture_output=True, check=False)
        return done.returncode

    def _enter(self) -> list[str]:
        return ["nsenter", f"--target={self._holder.pid}", "--mount", "--wd=/"]

    def _inside(self, command: Sequence[str], unit: str | None) -> list[str]:
        whole = [*self._network.prefix, *self._enter(), *command]
        # With the network comes another /sys, without control groups.
        return whole if unit is None else self._units.command(unit, whole)


def _found(program: str) -> str | None:
    return shutil.which(program, path="/usr/sbin:/sbin:/usr/bin:/bin")
