"""How web services are spoken to. Of a key, nothing ever gets into a message."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from http.client import HTTPException, HTTPMessage
from typing import IO, Any
from urllib.parse import urlencode

from pyruse import Refused

_PATIENCE = 15.0  # seconds without a sign of the service
_LARGEST = 65_536  # bytes of an answer
_LONGEST = 1_000  # bytes of a comment: AbuseIPDB cuts it at 1,024
_LONGEST_SAID = 200  # characters of what a service says in an answer

Report = Mapping[str, str]


class AwayError(ValueError):
    """The service is away, or in trouble: another try may help."""


@dataclass(frozen=True)
class Service:
    """A web service that takes reports."""

    request: Callable[[Report, str], tuple[dict[str, str], dict[str, str]]]
    """Gives the headers and the form of a report, with the key."""
    complaint: Callable[[str], str]
    """What an answer says is wrong; nothing, where all is well."""


def send(service: Service, url: str, key: str, report: Report) -> None:
    """Send a report, once.

    :raises AwayError: the service is away, or in trouble (5xx).
    :raises Refused: it does not take it; the text says why. That it has a report of this address
        already, or enough of them for a day, is a refusal, too: tomorrow, it would be old.
    """
    headers, form = service.request(report, key)
    try:
        status, answer = _post(url, headers, urlencode(form).encode())
    except (OSError, HTTPException) as caught:
        raise AwayError(f"no answer: {_in_words(caught)}") from None
    said = _without(key, service.complaint(answer))
    if status < 300 and not said:
        return
    fault = f"HTTP {status}" + (f": {said}" if said else "")
    raise AwayError(fault) if status >= 500 else Refused(fault)


def _post(url: str, headers: Mapping[str, str], data: bytes) -> tuple[int, str]:
    request = urllib.request.Request(url, data, {"User-Agent": "pyruse-abuse", **headers})
    try:
        with _OPENER.open(request, timeout=_PATIENCE) as answer:
            return answer.status, answer.read(_LARGEST).decode(errors="replace")
    except urllib.error.HTTPError as refusal:
        with refusal:
            return refusal.code, refusal.read(_LARGEST).decode(errors="replace")


class _StayHere(urllib.request.HTTPRedirectHandler):
    """A redirection would take the key to another host."""

    def redirect_request(  # noqa: PLR0913 -- as urllib has it
        self,
        req: urllib.request.Request,
        fp: IO[bytes],
        code: int,
        msg: str,
        headers: HTTPMessage,
        newurl: str,
    ) -> None:
        return None


_OPENER = urllib.request.build_opener(_StayHere)


def _in_words(fault: Exception) -> str:
    reason = getattr(fault, "reason", fault)
    return str(getattr(reason, "strerror", None) or reason)


def _without(key: str, text: str) -> str:
    """What a service says, on one line: it is going to be logged, and might repeat the key."""
    line = " ".join(text.replace(key, "[…]").split())
    return "".join(each if each.isprintable() else "?" for each in line)[:_LONGEST_SAID]


def _abuseipdb(report: Report, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """As https://docs.abuseipdb.com has it: REPORT endpoint, APIv2."""
    comment = report["comment"].encode()[:_LONGEST].decode(errors="ignore")
    form = {**report, "comment": comment}
    return {"Key": key, "Accept": "application/json"}, {
        name: value for name, value in form.items() if value
    }


def _abuseipdb_complaint(answer: str) -> str:
    errors = _object(answer).get("errors")
    details = [error.get("detail") for error in errors or () if isinstance(error, dict)]
    return ", ".join(str(detail) for detail in details)


def _blocklist_de(report: Report, key: str) -> tuple[dict[str, str], dict[str, str]]:
    """As https://www.blocklist.de/en/httpreports.html?help has it."""
    return {}, {**report, "apikey": key, "format": "json"}


def _blocklist_de_complaint(answer: str) -> str:
    said = _object(answer)
    if said.get("status") == "success" or said.get("error") in (0, "0"):
        return ""
    return json.dumps(said["error"]) if "error" in said else "an answer that is not understood"


def _object(answer: str) -> dict[str, Any]:
    try:
        found = json.loads(answer)
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


ABUSEIPDB = Service(_abuseipdb, _abuseipdb_complaint)
BLOCKLIST_DE = Service(_blocklist_de, _blocklist_de_complaint)
