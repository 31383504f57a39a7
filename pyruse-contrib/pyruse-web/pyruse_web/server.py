"""The web server, in a thread of its own that sleeps while nobody looks."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from threading import Thread

import uvicorn
from starlette.types import ASGIApp
from uvicorn.protocols.http.h11_impl import H11Protocol

from pyruse_web.place import Place

_CONNECTIONS = 32
"""So many at once: they are file descriptors of the daemon's, who needs some for itself."""
_LONGEST_S = 30.0
"""So long a connection lasts; a browser makes a new one."""
_STOP_S = 2.0


class Server:
    """Answers requests until it is closed."""

    def __init__(self, place: Place, app: ASGIApp) -> None:
        """Listen.

        :raises ValueError: that cannot be.
        """
        self._place = place
        self._socket = place.bind()
        self._uvicorn = _Uvicorn(
            uvicorn.Config(
                app,
                http=_Connection,
                loop="asyncio",
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                date_header=False,
                server_header=False,
                proxy_headers=False,
                timeout_graceful_shutdown=1,
            )
        )
        self._thread = Thread(target=self._serve, name="pyruse web", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """The port that is listened to."""
        return int(self._socket.getsockname()[1])

    def close(self) -> None:
        """Listen no more; who is just being answered may have a second."""
        self._uvicorn.end()
        self._thread.join(_STOP_S)
        self._place.remove()

    def _serve(self) -> None:
        asyncio.run(self._uvicorn.serve([self._socket]))


class _Uvicorn(uvicorn.Server):
    """Uvicorn without its tick: that would wake the processor ten times a second, for ever."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._end = asyncio.Event()
        self._loop: asyncio.AbstractEventLoop | None = None

    def end(self) -> None:
        """Stop serving. May be called in any thread."""
        self.should_exit = True  # where it has not even begun
        if self._loop is not None:
            with suppress(RuntimeError):  # it has ended by itself
                self._loop.call_soon_threadsafe(self._end.set)

    async def main_loop(self) -> None:
        """See `uvicorn.Server`."""
        self._loop = asyncio.get_running_loop()
        if not self.should_exit:
            await self._end.wait()


class _Connection(H11Protocol):
    """A connection that cannot be kept open to use up the daemon's file descriptors."""

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """See `asyncio.Protocol`."""
        super().connection_made(transport)
        if len(self.connections) > _CONNECTIONS:
            transport.abort()
        else:
            self.loop.call_later(_LONGEST_S, transport.abort)
