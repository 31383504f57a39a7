"""Network namespaces for tests: a network stack and a firewall apart from the machine's own.

Two of them, connected, are an attacker and a server::

    with NetworkNamespace() as server, NetworkNamespace() as attacker:
        server.connect(attacker, ["192.0.2.1/24"], ["192.0.2.7/24"])
        server.run(["nft", "add table inet filter"])

What runs inside is started through ``ip netns exec`` (iproute2); that takes root.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import uuid
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from pyruse.testing.keeper import Keeper
from pyruse.testing.waiting import TIME_LIMIT

_SYSTEM_PATH = "/usr/sbin:/sbin:/usr/bin:/bin"
_CLEAN_UP = """
for process in $("$1" netns pids "$2"); do kill -KILL "$process"; done
"$1" netns delete "$2"
"""


class NamespaceError(RuntimeError):
    """A namespace could not be used; the text says why."""


def unavailable(*programs: str) -> str | None:
    """Why there can be no network namespaces with these programs here; None: there can."""
    if os.geteuid() != 0:
        return "network namespaces take root"
    for program in ("ip", *programs):
        if _found(program) is None:
            return f"{program} is not installed"
    try:
        with NetworkNamespace():
            return None
    except NamespaceError as fault:
        return str(fault)


class NetworkNamespace:
    """A network namespace of its own name, removed at the end of a ``with`` block."""

    def __init__(self) -> None:
        self.name = f"pyruse-{uuid.uuid4().hex[:12]}"
        self._started: list[subprocess.Popen[str]] = []

    def __enter__(self) -> Self:
        """Make the namespace.

        :raises NamespaceError: it cannot be made.
        """
        self._keeper = Keeper(_CLEAN_UP, _found("ip"), self.name)
        try:
            _run(["ip", "netns", "add", self.name])
            self.run(["ip", "link", "set", "lo", "up"])
        except BaseException:
            self._keeper.close()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        for process in self._started:
            process.kill()
            process.communicate()
        self._keeper.close()

    @property
    def prefix(self) -> list[str]:
        """What stands before a command that is to run inside."""
        return [_found("ip") or "ip", "netns", "exec", self.name]

    def run(self, command: Sequence[str], text: str | None = None) -> str:
        """Run a program inside, with a text on its standard input.

        :return: its standard output.
        :raises NamespaceError: it failed, or did not end within two minutes.
        """
        return _run([*self.prefix, *command], text)

    def python(self, code: str, *arguments: str) -> str:
        """Run Python code inside, with ``sys.argv[1:]``; its standard output (see `run`)."""
        return self.run([sys.executable, "-c", code, *arguments])

    def start(self, command: Sequence[str]) -> subprocess.Popen[str]:
        """Start a program inside that is killed at the end; its input and output are pipes."""
        process = subprocess.Popen(
            [*self.prefix, *command], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
        )
        self._started.append(process)
        return process

    def connect(self, other: NetworkNamespace, own: Sequence[str], others: Sequence[str]) -> None:
        """Lay a cable (veth) to another namespace.

        :param other: the other namespace.
        :param own: addresses of this end, with their prefix lengths.
        :param others: those of the other end.
        :raises NamespaceError: it cannot be done.
        """
        near, far = (f"veth{uuid.uuid4().hex[:8]}" for _ in range(2))
        peer = ["peer", "name", far, "netns", other.name]
        self.run(["ip", "link", "add", near, "type", "veth", *peer])
        ends = ((self, near, own), (other, far, others))
        for namespace, interface, addresses in ends:
            for address in addresses:
                # nodad: an IPv6 address is of use at once, not only a second or two later.
                nodad = ["nodad"] if ":" in address else []
                namespace.run(["ip", "address", "add", address, "dev", interface, *nodad])
            namespace.run(["ip", "link", "set", interface, "up"])
        # Otherwise the first packets wait, for a second or two, until both ends know each other.
        for (namespace, interface, _), (peer_of, peers, known) in (ends, ends[::-1]):
            (link,) = json.loads(peer_of.run(["ip", "-json", "link", "show", peers]))
            to = ["lladdr", link["address"], "dev", interface, "nud", "permanent"]
            for address in known:
                namespace.run(["ip", "neighbour", "replace", address.split("/")[0], *to])


def _found(program: str) -> str | None:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), _SYSTEM_PATH))
    return shutil.which(program, path=path)


def _run(command: Sequence[str], text: str | None = None) -> str:
    path = os.pathsep.join((os.environ.get("PATH", os.defpath), _SYSTEM_PATH))
    try:
        done = subprocess.run(
            command, input=text or "", capture_output=True, text=True, errors="replace",
            timeout=TIME_LIMIT, check=False, env={**os.environ, "PATH": path},
        )  # fmt: skip
    except (OSError, subprocess.TimeoutExpired) as fault:
        raise NamespaceError(f"{' '.join(command)[:200]}: {fault}") from None
    if done.returncode != 0:
        raise NamespaceError(f"{' '.join(command)[:200]}: {done.stderr.strip() or 'failed'}")
    return done.stdout
