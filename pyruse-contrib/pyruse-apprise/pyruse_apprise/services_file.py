"""The file with the URLs of services."""

from __future__ import annotations

from typing import ClassVar

from pyruse import SecretFile


class ServicesFile(SecretFile):
    """A file with the URLs of services, as Apprise reads it (its "configuration").

    The URLs hold tokens and passwords: so they never stand in Pyruse's own configuration.
    """

    IN_WORDS: ClassVar[str] = 'the path of a file with URLs, such as "/etc/pyruse/apprise.conf"'

    def read(self) -> str:
        """All of it.

        :raises ValueError: it cannot, or may not, be read.
        """
        return self.read_all()
