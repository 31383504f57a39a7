"""The file with the token that opens the page."""

from __future__ import annotations

from typing import ClassVar

from pyruse import SecretFile, one_line

_SHORTEST = 20


class TokenFile(SecretFile):
    """A file with a token that nobody guesses."""

    IN_WORDS: ClassVar[str] = 'the path of a file with a token, such as "/etc/pyruse/web-token"'

    def read(self) -> str:
        """The token.

        :raises ValueError: there is none that can, or may, be read, or that is worth the name.
        """
        token = super().read().strip()
        if len(token) < _SHORTEST or len(token.split()) != 1:
            raise ValueError(
                f"{one_line(self)} has no token of {_SHORTEST} characters or more on one line "
                '(expected what "openssl rand -hex 32" gives, for instance)'
            )
        return token
