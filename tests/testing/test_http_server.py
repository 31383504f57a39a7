"""The web server for tests is one that a test can rely on."""

from __future__ import annotations

import http.client
import ssl
import time
import urllib.request
from urllib.error import HTTPError

import pytest

from pyruse.testing import Answer, HttpServer


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "PATCH", "QUERY"])
def test_any_method_is_taken(http_server, method):
    request = urllib.request.Request(f"{http_server.url}/a?b=c", method=method)
    with urllib.request.urlopen(request) as answer:
        assert answer.status == 200
    [taken] = http_server.requests
    assert (taken.method, taken.path, taken.body) == (method, "/a?b=c", b"")


def test_answers_come_before_the_answer(http_server):
    http_server.answers = [Answer(status=201, body="a"), Answer(headers={"X-One": "1"})]
    http_server.answer = Answer(status=503, body=b"\xff")
    with urllib.request.urlopen(http_server.url) as answer:
        assert (answer.status, answer.read()) == (201, b"a")
    with urllib.request.urlopen(http_server.url) as answer:
        assert answer.headers["x-one"] == "1"
    for _ in range(2):
        with pytest.raises(HTTPError) as caught:
            urllib.request.urlopen(http_server.url)
        with caught.value as fault:
            assert (fault.code, fault.read()) == (503, b"\xff")
    assert len(http_server.requests) == 4


def test_a_body_in_chunks_is_put_together(http_server):
    connection = http.client.HTTPConnection("127.0.0.1", http_server.port)
    connection.request("POST", "/", body=iter([b"one ", b"two"]), encode_chunked=True)
    assert connection.getresponse().status == 200
    connection.close()
    assert http_server.requests[0].text == "one two"


def test_a_connection_that_is_broken_off_has_no_answer(http_server):
    http_server.answer = Answer(break_off=True)
    with pytest.raises(http.client.RemoteDisconnected):
        urllib.request.urlopen(http_server.url)
    assert len(http_server.requests) == 1


def test_an_answer_that_takes_an_hour_does_not_keep_the_test_from_ending():
    began = time.monotonic()
    with HttpServer() as server:
        server.answer = Answer(delay=3600)
        connection = http.client.HTTPConnection("127.0.0.1", server.port)
        connection.request("GET", "/")
        assert len(server.wait_for(1)) == 1
    connection.close()
    assert time.monotonic() - began < 600


def test_tls_is_for_those_who_trust_the_certificate():
    with HttpServer(tls=True) as server:
        context = ssl.create_default_context(cafile=server.ca_file)
        with urllib.request.urlopen(server.url, context=context) as answer:
            assert answer.status == 200
        with pytest.raises(OSError, match="certificate verify failed"):
            urllib.request.urlopen(server.url)
        with urllib.request.urlopen(server.url, context=context) as answer:
            assert answer.status == 200
