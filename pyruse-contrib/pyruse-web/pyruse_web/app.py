"""The application: what is asked of whom, and what every answer has."""

from __future__ import annotations

from importlib.resources import files
from urllib.parse import parse_qs

from anyio import CapacityLimiter
from anyio.to_thread import run_sync
from starlette.applications import Starlette
from starlette.datastructures import MutableHeaders, QueryParams
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from pyruse_web.access import Access
from pyruse_web.views import View, Views

_HEADERS = {
    # No script, nothing from elsewhere, in nobody's frame: whatever a log line holds, it is text.
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
    "Referrer-Policy": "no-referrer",
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
}
_OPEN = ("/login", "/style.css")
_LONGEST_FORM = 4096
_WAITING = 8
"""Looks that wait for their turn, at most; others are told to come again."""


def application(views: Views, access: Access) -> ASGIApp:
    """The pages, for those who have the token."""
    one = CapacityLimiter(1)  # one look at a time: the main loop needs the interpreter, too
    looks = 0  # the one, and those that wait
    style = files("pyruse_web").joinpath("style.css").read_bytes()

    def page(path: str, view: View) -> Route:
        async def shown(request: Request) -> Response:
            nonlocal looks
            if looks > _WAITING:
                return HTMLResponse(views.busy(), 503, {"Retry-After": "5"})
            # What stands in the path comes last, so it is what counts.
            query = QueryParams([*request.query_params.multi_items(), *request.path_params.items()])
            looks += 1
            try:
                status, html = await run_sync(view, query, limiter=one)
            finally:
                looks -= 1
            return HTMLResponse(html, status)

        return Route(path, shown, methods=["GET"])

    async def css(_: Request) -> Response:
        return Response(style, media_type="text/css")

    async def login(request: Request) -> Response:
        if request.method != "POST":
            return HTMLResponse(views.login())
        if not access.takes_token(await _given(request)):
            return HTMLResponse(views.login(wrong=True), 403)
        answer = RedirectResponse("/", 303)
        answer.set_cookie(
            access.COOKIE,
            access.cookie(),
            max_age=access.LASTS_S,
            httponly=True,
            samesite="strict",
            # What a proxy says is believed: who lies about it harms himself alone.
            secure=request.headers.get("x-forwarded-proto") == "https",
        )
        return answer

    async def logout(_: Request) -> Response:
        answer = RedirectResponse("/login", 303)
        answer.delete_cookie(access.COOKIE, httponly=True, samesite="strict")
        return answer

    return Starlette(
        routes=[
            page("/", views.report),
            page("/day/{day}", views.report),
            page("/search", views.search),
            page("/bans", views.bans),
            page("/chains", views.chains),
            page("/health", views.health),
            Route("/style.css", css, methods=["GET"]),
            Route("/login", login, methods=["GET", "POST"]),
            Route("/logout", logout, methods=["POST"]),
        ],
        middleware=[Middleware(_Guard, access=access)],
    )


async def _given(request: Request) -> str:
    """The token of the form, without reading more than a form has."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > _LONGEST_FORM:
            return ""
    fields = parse_qs(body.decode(errors="replace"))
    return fields.get("token", [""])[0]


class _Guard:
    """Answers none but those who may ask, and puts the same headers on every answer."""

    def __init__(self, app: ASGIApp, access: Access) -> None:
        self._app = app
        self._access = access

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """See the specification of ASGI."""
        if scope["type"] != "http":
            return

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message).update(_HEADERS)
            await send(message)

        answer = self._refused(Request(scope)) or self._app
        await answer(scope, receive, send_with_headers)

    def _refused(self, request: Request) -> Response | None:
        if not self._access.knows_host(request.headers.get("host", "")):
            return PlainTextResponse(
                "This page is not known under this name (expected localhost, or one of the option "
                "hosts).\n",
                421,
            )
        if request.url.path in _OPEN:
            return None
        if not self._access.takes_cookie(request.cookies.get(self._access.COOKIE, "")):
            return RedirectResponse("/login", 303)
        return None
