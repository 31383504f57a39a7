"""Who may look, and who may not."""

from __future__ import annotations

import socket
import time
from contextlib import closing, suppress

import httpx
import pytest
from conftest import TOKEN
from pyruse_web.access import Access
from pyruse_web.app import application
from pyruse_web.place import Place
from pyruse_web.server import Server
from pyruse_web.token_file import TokenFile

from pyruse.testing import TIME_LIMIT

PAGES = ("/", "/bans", "/chains", "/health")


def test_without_a_token_there_is_nothing_but_the_form(serve, chains):
    page = serve(chains.observer)
    for path in PAGES:
        answer = page.client.get(path)
        assert (answer.status_code, answer.headers["location"], answer.text) == (303, "/login", "")
    form = page.client.get("/login")
    assert form.status_code == 200
    assert 'type="password"' in form.text


def test_a_wrong_token_opens_nothing(serve, chains):
    page = serve(chains.observer)
    for given in ("", "wrong", TOKEN[:-1], f"{TOKEN}x", "ü" * 32, "\x00"):
        answer = page.client.post("/login", data={"token": given})
        assert answer.status_code == 403, given
        assert "That is not the token." in answer.text
        assert "set-cookie" not in answer.headers


def test_the_token_is_never_taken_from_a_url(serve, chains):
    page = serve(chains.observer)
    assert page.client.get(f"/?token={TOKEN}").status_code == 303
    assert "set-cookie" not in page.client.get(f"/login?token={TOKEN}").headers


def test_the_cookie_is_for_this_page_alone_and_does_not_hold_the_token(serve, chains):
    page = serve(chains.observer)
    answer = page.client.post("/login", data={"token": f" {TOKEN}\n"})
    assert (answer.status_code, answer.headers["location"]) == (303, "/")
    cookie = answer.headers["set-cookie"]
    assert "HttpOnly" in cookie
    assert "SameSite=strict" in cookie
    assert "Secure" not in cookie
    assert TOKEN not in cookie
    assert page.client.get("/").status_code == 200
    secure = page.client.post(
        "/login", data={"token": TOKEN}, headers={"X-Forwarded-Proto": "https"}
    )
    assert "Secure" in secure.headers["set-cookie"]


def test_logging_out_takes_the_cookie_away(page):
    answer = page.client.post("/logout")
    assert answer.status_code == 303
    assert page.client.get("/").status_code == 303


def test_a_cookie_cannot_be_made_up_prolonged_or_kept_over_a_change_of_the_token():
    access = Access(TOKEN, [])
    cookie = access.cookie()
    expires, signature = cookie.split(".")
    assert access.takes_cookie(cookie)
    assert not access.takes_cookie(f"{int(expires) + 1}.{signature}")
    assert not access.takes_cookie(f"{expires}.{'0' * 64}")
    for nonsense in ("", ".", "1.2", f"{expires}.{signature}\n", "9" * 400 + f".{signature}"):
        assert not access.takes_cookie(nonsense)
    assert not Access(TOKEN[::-1], []).takes_cookie(cookie)


def test_a_cookie_ends(monkeypatch):
    access = Access(TOKEN, [])
    cookie = access.cookie()
    now = time.time()
    monkeypatch.setattr(time, "time", lambda: now + Access.LASTS_S - 10)
    assert access.takes_cookie(cookie)
    monkeypatch.setattr(time, "time", lambda: now + Access.LASTS_S + 10)
    assert not access.takes_cookie(cookie)


def test_every_answer_has_the_headers_that_keep_others_out(page):
    for path in (*PAGES, "/login", "/style.css", "/none"):
        headers = page.client.get(path).headers
        policy = headers["content-security-policy"]
        assert "default-src 'none'" in policy
        assert "frame-ancestors 'none'" in policy
        assert "script" not in policy
        assert "unsafe" not in policy
        assert headers["cache-control"] == "no-store"
        assert headers["x-frame-options"] == "DENY"
        assert headers["x-content-type-options"] == "nosniff"
        assert headers["referrer-policy"] == "no-referrer"
        assert "server" not in headers


def test_this_host_is_known_by_the_names_of_loopback(page):
    for host in ("localhost", "localhost:8765", "127.0.0.1:1", "[::1]:9", "[::1]"):
        assert page.client.get("/", headers={"Host": host}).status_code == 200, host


def test_a_name_that_leads_here_from_elsewhere_sees_nothing(page):
    evil = "evil.example.org"
    for host in (evil, f"localhost.{evil}", f"127.0.0.1.{evil}:80", f"localhost@{evil}", ""):
        for path in (*PAGES, "/login", "/style.css"):
            answer = page.client.get(path, headers={"Host": host})
            assert answer.status_code in (400, 421), (host, path)
            assert "Log out" not in answer.text


def test_a_proxy_may_have_a_name_for_it():
    access = Access(TOKEN, ["Pyruse.example.org"])
    assert access.knows_host("pyruse.example.org")
    assert access.knows_host("pyruse.example.org:443")
    assert not access.knows_host("example.org")


def test_nothing_can_be_changed(page):
    for path in PAGES:
        for method in ("POST", "PUT", "DELETE", "PATCH"):
            assert page.client.request(method, path).status_code == 405, (method, path)


def test_a_form_that_is_too_long_is_not_read_to_its_end(serve, chains):
    page = serve(chains.observer)
    answer = page.client.post("/login", data={"token": TOKEN, "more": "x" * 100_000})
    assert answer.status_code == 403


@pytest.fixture
def token_file(tmp_path):
    file = tmp_path / "token"
    file.touch(0o640)
    return file


@pytest.mark.parametrize(
    "content",
    ["short\n", f"{TOKEN[:10]} {TOKEN[10:]}", " " * 40, f"  {TOKEN[:15]}  \n"],
)
def test_a_token_that_may_be_guessed_is_one_clear_line(token_file, content):
    token_file.write_text(content)
    with pytest.raises(ValueError, match=r"token has no token of 20 characters .*\(expected what"):
        TokenFile(token_file).read()


def test_the_token_is_what_stands_in_the_file(token_file):
    token_file.write_text(f" {TOKEN}\n")
    assert TokenFile(token_file).read() == TOKEN


# Where it listens -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "shown"),
    [
        ("127.0.0.1:8765", "http://127.0.0.1:8765"),
        ("127.1.2.3:1", "http://127.1.2.3:1"),
        ("[::1]:8765", "http://[::1]:8765"),
        ("/run/pyruse/web.sock", "/run/pyruse/web.sock"),
    ],
)
def test_places(text, shown):
    assert str(Place.parse(text)) == shown


@pytest.mark.parametrize(
    "text",
    ["0.0.0.0:80", "[::]:80", "192.0.2.1:80", "localhost", "127.0.0.1", "127.0.0.1:x",
     "127.0.0.1:70000", "127.0.0.1:-1", "run/web.sock", "", 8765, ["127.0.0.1:1"], "/a\0b"],
)  # fmt: skip
def test_places_that_are_none(text):
    with pytest.raises(ValueError, match=r"is no place for the page \(expected a port of loopback"):
        Place.parse(text)


async def nothing(scope, receive, send):
    await send({"type": "http.response.start", "status": 204, "headers": []})
    await send({"type": "http.response.body"})


def test_a_unix_socket_is_there_as_long_as_it_is_served(tmp_path):
    path = tmp_path / "web.sock"
    path.touch()
    with pytest.raises(ValueError, match=r"web\.sock cannot be listened to: something else is th"):
        Place(str(path), None).bind()
    path.unlink()
    for _ in range(2):  # the second one finds what is left of the first
        server = Server(Place(str(path), None), nothing)
        with httpx.Client(transport=httpx.HTTPTransport(uds=str(path))) as client:
            assert client.get("http://localhost/").status_code == 204
        assert path.stat().st_mode & 0o777 == 0o666
    server.close()
    assert not path.exists()


def test_a_busy_port_and_a_missing_folder_are_one_clear_line(tmp_path):
    with socket.create_server(("127.0.0.1", 0)) as busy:
        port = busy.getsockname()[1]
        with pytest.raises(ValueError, match=rf"127\.0\.0\.1:{port} cannot be listened to: Addr"):
            Server(Place("127.0.0.1", port), nothing)
    with pytest.raises(ValueError, match=r"No such file or directory \(expected a folder that"):
        Server(Place(str(tmp_path / "none" / "web.sock"), None), nothing)


def test_a_server_that_is_closed_at_once_ends(tmp_path):
    for _ in range(3):
        server = Server(Place("127.0.0.1", 0), nothing)
        server.close()
        assert not server._thread.is_alive()


def test_who_keeps_connections_open_uses_up_none_but_his_own():
    server = Server(Place("127.0.0.1", 0), nothing)
    with closing(server):
        idle = [socket.create_connection(("127.0.0.1", server.port)) for _ in range(60)]
        for one in idle[32:]:  # those beyond the limit are ended at once
            one.settimeout(TIME_LIMIT)
            with suppress(ConnectionResetError):
                assert one.recv(1) == b""
        idle[0].sendall(b"GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")
        idle[0].settimeout(TIME_LIMIT)
        assert idle[0].recv(100).startswith(b"HTTP/1.1 204")
        for one in idle:
            one.close()


def test_the_application_takes_no_other_protocol(chains):
    from datetime import UTC

    from pyruse_web.views import Views

    app = application(Views(chains.observer, UTC), Access(TOKEN, []))
    sent = []
    coroutine = app({"type": "websocket", "path": "/"}, None, sent.append)
    with pytest.raises(StopIteration):
        coroutine.send(None)
    assert sent == []
