"""The plugin: a web server for as long as Pyruse runs."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from pyruse import Context, hookimpl
from pyruse_web.place import Place
from pyruse_web.token_file import TokenFile

if TYPE_CHECKING:
    from pyruse_web.server import Server


@dataclass
class Web:
    """Show today's report so far, the bans, the chains and the faults on a page.

    It changes nothing, and asks for a token: whoever is to look gets the content of the file
    `token_file`. Without that option, there is no page.

    ```toml
    [plugins.web]
    token_file = "/etc/pyruse/web-token"
    listen = "127.0.0.1:8765"
    ```
    """

    token_file: TokenFile | None = None
    """The file with the token, on one line of 20 characters or more. It is read at the start, and
    when the configuration is read again."""
    listen: Place = field(default_factory=lambda: Place.parse("127.0.0.1:8765"))
    """Where the page is: an address of loopback with a port, or the path of a Unix socket."""
    hosts: list[str] = field(default_factory=list)
    """The names under which a proxy makes the page known, besides `localhost`."""

    def __post_init__(self) -> None:
        self._server: Server | None = None

    @hookimpl
    def on_start(self, context: Context) -> None:
        """Listen, unless it is a dry run: there is nothing to be seen.

        :raises ValueError: there is no token, or it cannot be listened.
        """
        if context.observer is None:
            return
        token = self._token()
        # Only now: other commands, which load the plugin as well, do without the 0.3 s.
        from pyruse_web.access import Access
        from pyruse_web.app import application
        from pyruse_web.server import Server
        from pyruse_web.views import Views

        access = Access(token, self.hosts)
        views = Views(context.observer, context.zone)
        self._server = Server(self.listen, application(views, access))

    def _token(self) -> str:
        if self.token_file is None:
            raise ValueError("there is no page without a token (expected token_file)")
        try:
            return self.token_file.read()
        except ValueError as fault:
            raise ValueError(f"there is no page without a token: {fault}") from None

    @hookimpl
    def on_stop(self) -> None:
        """Listen no more."""
        if self._server is not None:
            self._server.close()
            self._server = None
