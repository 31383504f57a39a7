"""Puts the service in place: the unit, its user, its folders; and starts it."""

from __future__ import annotations

import shlex
import shutil
import sys
from collections.abc import Callable, Iterator
from importlib import resources
from pathlib import Path

from pyruse.errors import UserError
from pyruse.system.programs import run_program

UNIT = "pyruse.service"
_SYSTEM = Path("/etc")
_PACKAGED = (Path("/usr/lib"), Path("/usr/local/lib"), Path("/lib"))
"""Where packages and `make install` put what is theirs."""
_TIMEOUT = 120.0  # seconds: the start of a service waits until its bans are restored

Tell = Callable[[str], None]


def install(*, sendmail: bool, ipset: bool, prepared: bool = False, tell: Tell) -> bool:
    """Put the files of the service in place; what is there already stays as it is.

    What a package has put in place is the package's.

    :param sendmail: mail is given to the program sendmail, which needs more rights.
    :param ipset: the firewall is ipset, which needs more rights, too.
    :param prepared: a package has made the user and the folders.
    :param tell: told what was done, line by line.
    :return: whether a file of the unit is new: a service that runs has to be restarted then.
    :raises UserError: a file cannot be written, or a program fails.
    """
    has_changed = False
    for source, target, text in _files(sendmail=sendmail, ipset=ipset):
        if _packaged(target.relative_to(_SYSTEM)) is not None:
            continue
        if target.exists():
            same = target.read_text("utf-8", "replace") == text
            tell(f"{target}: is there already" + ("" if same else f", and differs from {source}"))
        else:
            _write(target, text)
            has_changed = has_changed or UNIT in str(target)
            tell(f"{target}: written")
    if not prepared:
        _run(["systemd-sysusers", "pyruse.conf"])
        _run(["systemd-tmpfiles", "--create", "pyruse.conf"])
    return has_changed


def is_installed() -> bool:
    """Whether there is a unit of Pyruse, from `install` or from a package."""
    unit = Path("systemd/system", UNIT)
    return (_SYSTEM / unit).exists() or _packaged(unit) is not None


def _packaged(file: Path) -> Path | None:
    """Where a package has put a file; None: nowhere."""
    return next((folder / file for folder in _PACKAGED if (folder / file).exists()), None)


def start(tell: Tell, *, restart: bool = False) -> None:
    """Start the service now and at each boot; where it runs, have it reload.

    :param restart: restart it, where it runs: a reload changes nothing of its sandbox.
    :param tell: told what was done, line by line.
    :raises UserError: it does not start.
    """
    if not Path("/run/systemd/system").is_dir():  # sd_booted(3)
        tell("systemd is not at work here: the service is not started")
        return
    _run(["systemctl", "daemon-reload"])
    running = run_program(["systemctl", "is-active", "--quiet", UNIT], timeout=_TIMEOUT)
    _run(["systemctl", "enable", "--quiet", UNIT])
    if running.fault is None and restart:
        _run(["systemctl", "restart", UNIT])
        tell(f"{UNIT}: restarted")
    elif running.fault is None:
        _run(["systemctl", "reload", UNIT])
        tell(f"{UNIT}: runs, and has read its configuration again")
    else:
        _run(["systemctl", "start", UNIT])
        tell(f"{UNIT}: runs, now and after each boot")


def _files(*, sendmail: bool, ipset: bool) -> Iterator[tuple[str, Path, str]]:
    """What is to be there: the name of each source, the file, and its text."""
    unit = _source("pyruse.service").replace("/usr/bin/pyruse", _program())
    yield "pyruse.service", _SYSTEM / "systemd/system" / UNIT, unit
    for kind in ("sysusers", "tmpfiles"):
        name = f"pyruse.{kind}"
        yield name, _SYSTEM / f"{kind}.d/pyruse.conf", _source(name)
    for name, wanted in (("sendmail.conf", sendmail), ("ipset.conf", ipset)):
        if wanted:
            yield name, _SYSTEM / f"systemd/system/{UNIT}.d" / name, _source(name)


def _source(name: str) -> str:
    """A file of the folder ``deploy``: in the package, or beside it in a checkout."""
    inside = resources.files("pyruse") / "deploy" / name
    beside = Path(__file__).parents[2] / "deploy" / name
    return (inside if inside.is_file() else beside).read_text("utf-8")


def _program() -> str:
    """How the unit starts this very Pyruse.

    :raises UserError: the unit cannot see it.
    """
    found = shutil.which(sys.argv[0])
    program = Path(found).absolute() if found and Path(found).name == "pyruse" else None
    command = f"{sys.executable} -m pyruse" if program is None else str(program)
    parts = (program or Path(sys.executable)).resolve().parts
    if parts[1:2] in (("home",), ("root",)):
        raise UserError(
            f"{shlex.quote(command)}: the service cannot look into /home and /root (expected "
            "Pyruse in a place for all: a package, or python3 -m venv /opt/pyruse && "
            "/opt/pyruse/bin/pip install pyruse)"
        )
    return command


def _write(target: Path, text: str) -> None:
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("x", encoding="utf-8") as file:
            file.write(text)
        target.chmod(0o644)
    except OSError as fault:
        raise UserError(
            f"{target}: cannot be written: {fault.strerror} (expected root: sudo pyruse init)"
        ) from None


def _run(command: list[str]) -> None:
    finished = run_program(command, timeout=_TIMEOUT)
    if finished.fault is not None:
        raise UserError(
            f"{shlex.join(command)}: {finished.fault} (expected that it works; `journalctl -u "
            f"{UNIT}` may tell more)"
        )
