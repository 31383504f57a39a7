"""What a login sets in motion: PAM, systemd-logind, systemd's own units and the user's manager."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from . import people
from .model import AUTH, AUTHPRIV, Day, Line, Program
from .systemd import DONE, STARTED, STARTING, SUCCEEDED, pid1

LOGIND = Program(
    "systemd-logind",
    "systemd-logind.service",
    "/lib/systemd/systemd-logind",
    AUTH,
    transport="journal",
)
FIRST_SESSION = 412
"""The number of the day's first session: the machine has been up for some time."""

_NEW_SESSION = "8d45620c1a4348dbb17410da57c60c66"
_SESSION_REMOVED = "3354939424b4456d9802ca8333ed424a"


def session(
    day: Day, at: float, login: people.Login, number: int, program: Program, pid: int
) -> Iterator[Line]:
    """A session from its opening to its removal, opened by a program such as sshd."""
    user, uid, end = login.user, people.UIDS[login.user], at + 60 * login.minutes
    name = f"{program.identifier}:session"
    scope, manager = f"session-{number}.scope", f"user@{uid}.service"
    session_fields = {"SESSION_ID": number, "USER_ID": user, "LEADER": pid}

    opened = f"pam_unix({name}): session opened for user {user}(uid={uid}) by (uid=0)"
    yield program.says(at, opened, pid, SYSLOG_FACILITY=AUTHPRIV)
    new = f"New session {number} of user {user}."
    yield _logind(at + 0.02, new, "session_start", MESSAGE_ID=_NEW_SESSION, **session_fields)
    if user not in _LINGERING:
        yield pid1(at + 0.03, STARTING, manager, f"User Manager for UID {uid}")
        target = Program(
            "systemd", manager, "/lib/systemd/systemd", uid=uid, transport="journal",
            slice=f"user.slice/user-{uid}.slice",
        )  # fmt: skip
        queued = "Queued start job for default target default.target."
        yield target.says(at + 0.2, queued, day.pid(at) + 3, _SYSTEMD_OWNER_UID=uid)
        reached = "Reached target default.target - Main User Target."
        yield target.says(at + 0.3, reached, day.pid(at) + 3, _SYSTEMD_OWNER_UID=uid)
        yield pid1(at + 0.32, STARTED, manager, f"User Manager for UID {uid}")
    yield pid1(at + 0.35, STARTED, scope, f"Session {number} of User {user}")

    closed = f"pam_unix({name}): session closed for user {user}"
    yield program.says(end, closed, pid, SYSLOG_FACILITY=AUTHPRIV, **in_session(user, number))
    yield pid1(end + 0.02, SUCCEEDED, scope, "")
    logged_out = f"Session {number} logged out. Waiting for processes to exit."
    yield _logind(end + 0.03, logged_out, "session_stop_scope", **session_fields)
    removed = f"Removed session {number}."
    yield _logind(
        end + 0.04, removed, "session_finalize", MESSAGE_ID=_SESSION_REMOVED, **session_fields
    )
    if user not in _LINGERING:
        yield pid1(end + 10, DONE, manager, f"User Manager for UID {uid}")


_LINGERING = ("alice",)
"""Whose manager runs without a session."""


def in_session(user: str, number: int) -> dict[str, Any]:
    """The fields of a process that belongs to a user's session."""
    uid = people.UIDS[user]
    unit, slices = f"session-{number}.scope", f"user.slice/user-{uid}.slice"
    return {
        "_SYSTEMD_CGROUP": f"/{slices}/{unit}",
        "_SYSTEMD_UNIT": unit,
        "_SYSTEMD_SLICE": f"user-{uid}.slice",
        "_SYSTEMD_SESSION": number,
        "_SYSTEMD_OWNER_UID": uid,
        "_AUDIT_SESSION": number,
        "_AUDIT_LOGINUID": uid,
    }


def _logind(at: float, message: str, function: str, **more: Any) -> Line:
    code: dict[str, Any] = {"CODE_FILE": "src/login/logind-session.c", "CODE_FUNC": function}
    return LOGIND.says(at, message, 611, **code, **more)
