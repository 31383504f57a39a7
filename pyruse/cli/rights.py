"""What a user may not read or change, and who may: told before SQLite or a socket says less."""

from __future__ import annotations

import grp
import os
import shlex
import stat
import sys
from pathlib import Path

from pyruse.config.files import VARIABLE
from pyruse.errors import UserError

_SUDO_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
"""Where sudo(8) looks for programs, by sudoers(5) as distributions set it."""


def see_that_readable(path: str) -> None:
    """See that this user may read a state.

    :param path: of the state.
    :raises UserError: not; with the command that would, and the group whose members may.
    """
    if not _may(path, os.R_OK):
        raise UserError(f"{path}: this user may not read it ({_who_may(path, os.R_OK)})")


def see_that_changeable(path: str) -> None:
    """See that this user may have bans changed: by the daemon, or in the state itself.

    :param path: of the state.
    :raises UserError: not; with the command that would, and the group whose members may.
    """
    socket = f"{path}.socket"
    if os.path.exists(socket) and _may(socket, os.R_OK | os.W_OK):
        return
    if os.path.exists(socket):
        fault = f"{socket}: this user may not ask the daemon"
    elif _may(str(Path(path).parent), os.R_OK | os.W_OK | os.X_OK) and _may(path, os.W_OK):
        return
    else:
        fault = f"{path}: this user may not change it"
    raise UserError(f"{fault} ({_who_may(path, os.W_OK)})")


def see_that_writable(path: str) -> None:
    """See that this user may change a state itself: the daemon does not do it for anybody.

    :param path: of the state.
    :raises UserError: not; with the command that would.
    """
    if not _may(str(Path(path).parent), os.R_OK | os.W_OK | os.X_OK):
        raise UserError(f"{path}: this user may not change it (expected root: {with_sudo()})")


def see_that_askable(path: str) -> None:
    """See that this user may ask the daemon, where one runs, or where nobody can tell.

    :param path: of the state.
    :raises UserError: not; as of `see_that_changeable`.
    """
    socket = f"{path}.socket"
    if os.path.exists(socket) or not _may(socket, os.F_OK):
        see_that_changeable(path)


def with_sudo() -> str:
    """The command that was typed, as root would call it."""
    import shutil  # with four modules of compression

    program = "pyruse"
    if shutil.which(program, path=_SUDO_PATH) is None:  # installed into an environment of its own
        program = shutil.which(sys.argv[0]) or program
    chosen = os.environ.get(VARIABLE)
    is_named = any(word in ("-c", "--config") for word in sys.argv)
    variable = [f"{VARIABLE}={os.path.abspath(chosen)}"] if chosen and not is_named else []
    return shlex.join(["sudo", *variable, program, *sys.argv[1:]])


def _may(path: str, mode: int) -> bool:
    """Whether this user has rights on a file; what is not there is not denied."""
    try:
        os.stat(path)
    except PermissionError:
        return False
    except OSError:
        return True
    return os.access(path, mode)


def _who_may(path: str, mode: int) -> str:
    text = f"expected root: {with_sudo()}"
    group = _group(path, mode)
    if group is None:
        return text
    return (
        f"{text}; or a member of the group {group}: sudo usermod --append --groups {group} $USER, "
        "then log in again"
    )


def _group(path: str, mode: int) -> str | None:
    """The group that the state's folder is open to, but for root's."""
    try:
        folder = Path(path).parent.stat()
        group = grp.getgrgid(folder.st_gid).gr_name
    except (OSError, KeyError):
        return None
    needed = stat.S_IXGRP | stat.S_IRGRP
    has_socket = mode == os.W_OK and os.path.lexists(f"{path}.socket")
    if mode == os.W_OK and not has_socket:
        needed |= stat.S_IWGRP
    is_open = folder.st_mode & needed == needed
    return group if is_open and folder.st_gid != 0 else None
