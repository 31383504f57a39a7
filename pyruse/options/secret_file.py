"""The type of options that name a file with a secret: a password, a key, a token.

Why not every file is read: docs/decisions/0030-secrets-that-everybody-may-read.md.
"""

from __future__ import annotations

import os
import stat
from typing import Any, ClassVar, Self

from pyruse.text import one_line

_LARGEST = 65_536  # characters
_EXPECTED = "a file that Pyruse's user may read, and not everybody"


class SecretFile(str):
    """The path of a file with a secret, from ``/`` on.

    With the configuration, only the path is read. The secret is read when it is needed: so it may
    be changed at any time, and nothing that shows options can show it.

    A file that every user of the machine may open holds no secret, and is not read. A group may
    read the file, as root hands secrets to services so: owner root, group pyruse, mode 0640. Who is
    in such a group is root's decision, and Pyruse cannot judge it: another user than Pyruse's may
    run `pyruse check`. With systemd's ``LoadCredential=``, the bits of the group do not even mean a
    group: they are the mask of an access control list that names the service's user alone
    (systemd.exec(5), acl(5)).

    A secret of a certain form is a subclass, whose ``read`` checks what this class has read.
    """

    IN_WORDS: ClassVar[str] = 'the path of a file with a secret, such as "/etc/pyruse/password"'
    SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^/"}

    @classmethod
    def parse(cls, value: Any) -> Self:
        """Read a path; the file is opened later.

        :raises ValueError: it is no path. The error does not show it: it may be the secret itself.
        """
        if isinstance(value, str) and value.startswith("/") and "\0" not in value:
            return cls(value)
        raise ValueError(f"that is no path from / on (expected {cls.IN_WORDS})")

    def read(self) -> str:
        """The secret: the one line that is in the file, without its end.

        :raises ValueError: there is none that can, or may, be read. The text names the file.
        """
        secret = self.read_all().rstrip("\n")
        if not secret or "\n" in secret or "\0" in secret:
            raise self._fault("has no secret on one line", "one line, and nothing else")
        return secret

    def read_all(self) -> str:
        """All that is in the file, for a secret of several lines.

        :raises ValueError: it cannot, or may not, be read. The text names the file.
        """
        try:
            with open(self, encoding="utf-8", opener=_without_waiting) as file:
                self._look_at(os.fstat(file.fileno()).st_mode)
                text = file.read(_LARGEST + 1)
        except OSError as fault:
            raise self._fault(f"cannot be read: {fault.strerror}", _EXPECTED) from None
        except UnicodeDecodeError:
            raise self._fault("cannot be read: not UTF-8", _EXPECTED) from None
        if len(text) > _LARGEST:
            raise self._fault("is too long", f"a secret of at most {_LARGEST} characters")
        return text

    def _look_at(self, mode: int) -> None:
        if not stat.S_ISREG(mode):
            raise self._fault("is no file", _EXPECTED)
        if mode & stat.S_IRWXO:
            remedy = f'{_EXPECTED}: "chmod o= {one_line(self)}"'
            raise self._fault("is open to every user of this machine", remedy)

    def _fault(self, what: str, expected: str) -> ValueError:
        return ValueError(f"{one_line(self)} {what} (expected {expected})")


def _without_waiting(path: str, flags: int) -> int:
    """Open a file; do not wait until somebody writes into a pipe (fifo(7))."""
    return os.open(path, flags | os.O_NONBLOCK)
