"""One attempt to let an item leave, for each kind of item. Runs in any thread."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from typing import Literal

from pyruse.api.parcel import Refused
from pyruse.config.settings import EmailSettings
from pyruse.delivery.mail.openpgp import encrypted
from pyruse.delivery.mail.refusals import MailError, TooLargeError
from pyruse.delivery.mail.texts import text_of
from pyruse.delivery.mail.transport import by_what_works, send
from pyruse.delivery.outcome import Outcome
from pyruse.delivery.receivers import Receiver, Receivers, parcel_of
from pyruse.errors import UserError, in_words
from pyruse.state.outbox_item import OutboxItem
from pyruse.system.descriptors import SHORT
from pyruse.system.programs import run_program
from pyruse.text import one_line, shortened

Attempt = Callable[[OutboxItem], Outcome]
"""Contains all errors: they are in the outcome."""
JournalLog = Callable[[str, int, Mapping[str, object]], None]
"""Writes a line to the journal (message, level, fields); OSError if it cannot."""

_SMALLEST_MAIL = 3_000
"""Bytes: a way that takes no more takes no mail at all."""
_LONGEST_FAULT = 300  # characters, of what a plugin says


def attempts(
    settings: EmailSettings, host: str, journal_log: JournalLog, receivers: Receivers
) -> dict[str, Attempt]:
    """All the ways out, by the kinds of items."""
    return {
        "mail": mailer(settings, host),
        "command": run_command,
        "log": log_writer(journal_log),
        **{kind: deliverer(receiver) for kind, receiver in receivers.items()},
    }


def mailer(configured: EmailSettings, host: str) -> Attempt:
    """The attempt to send a mail.

    :param configured: the section ``[email]``.
    :param host: this machine's name, for Message-IDs and the addresses of local users.
    """

    def send_mail(item: OutboxItem) -> Outcome:
        settings = by_what_works(configured)
        largest, why = None, ""
        while True:
            try:
                # Python's email package takes long to import, and most runs send no mail.
                from pyruse.delivery.mail.message import compose

                message = compose(item, settings, host, largest)
            except (ImportError, OSError, MemoryError) as fault:  # no descriptors left, or the like
                return Outcome(item, "retry", f"it cannot be composed now: {fault}", whole_way=True)
            except Exception as fault:  # noqa: BLE001 -- what cannot be composed now never can
                reason = str(fault) if isinstance(fault, ValueError) else repr(fault)
                return Outcome(item, "refused", reason)
            try:
                if keys := item.payload.get("encrypt_to", settings.encrypt_to):
                    message = encrypted(message, keys, settings)
                taken = send(message, settings)
                refusals = tuple(taken.refusals)
                return Outcome(item, fault=why, refusals=refusals, answer=taken.answer)
            except TooLargeError as fault:
                largest = _smaller(fault, largest)
                if largest < _SMALLEST_MAIL:
                    return Outcome(item, "refused", str(fault), of_the_server=True)
                why = f"was cut to {largest:,} bytes: {fault}"
            except MailError as fault:
                end: Literal["refused", "retry"] = "refused" if fault.permanent else "retry"
                return Outcome(
                    item, end, str(fault),
                    whole_way=fault.whole_way, of_the_server=fault.of_the_server,
                )  # fmt: skip
            except Exception as fault:  # noqa: BLE001 -- no mail is lost by a fault of ours
                return Outcome(item, "retry", f"it cannot be sent: {fault!r}")

    return send_mail


def _smaller(fault: TooLargeError, tried: int | None) -> int:
    """So large the mail may be in the next attempt, in bytes."""
    if fault.limit is not None and (tried is None or fault.limit < tried):
        return fault.limit
    return min(fault.size, tried or fault.size) // 2


def run_command(item: OutboxItem) -> Outcome:
    """Run a program. It is run once, whatever becomes of it: nobody knows what it has done."""
    payload = item.payload
    stdin = None
    if "parts" in payload:
        stdin = text_of(payload).encode()
    environment = None
    if "count" in payload:
        environment = {**os.environ, "PYRUSE_COUNT": str(payload["count"])}
    try:
        done = run_program(
            payload["command"], timeout=payload["timeout"], stdin=stdin, environment=environment
        )
    except FileNotFoundError:
        return Outcome(item, fault="is not there (expected a program that can be run)")
    except Exception as fault:  # noqa: BLE001 -- one bad command must not stop the others
        if isinstance(fault, OSError) and fault.errno in SHORT:  # it was not run
            return Outcome(item, "retry", f"cannot be run now: {fault.strerror}", whole_way=True)
        reason = fault.strerror if isinstance(fault, OSError) else fault
        return Outcome(item, fault=f"cannot be run: {reason} (expected a program that can be run)")
    return Outcome(item, fault=done.fault or "")


def log_writer(journal_log: JournalLog) -> Attempt:
    """Writes log lines."""

    def write(item: OutboxItem) -> Outcome:
        line = item.payload
        try:
            count = line.get("count", 1)
            again = f" ({count:,} times)" if count > 1 else ""
            journal_log(f"{line['message']}{again}", line["level"], line["fields"])
        except OSError as fault:
            return Outcome(item, "retry", f"the journal took no line: {fault}", whole_way=True)
        except Exception as fault:  # noqa: BLE001 -- one bad line must not stop the daemon for good
            return Outcome(item, "refused", f"the journal can take no such line: {fault!r}")
        return Outcome(item)

    return write


def deliverer(receiver: Receiver) -> Attempt:
    """Has a plugin deliver its parcels."""

    def deliver(item: OutboxItem) -> Outcome:
        try:
            receiver.deliver(parcel=parcel_of(item))
        except Refused as fault:
            return Outcome(item, "refused", _told(receiver, in_words(fault, Refused)))
        except BaseException as fault:  # noqa: BLE001 -- anybody's code: it is tried again
            return Outcome(item, "retry", _told(receiver, in_words(fault, ValueError, UserError)))
        return Outcome(item)

    return deliver


def _told(receiver: Receiver, text: str) -> str:
    return f"{receiver.plugin}: {shortened(one_line(text), _LONGEST_FAULT)}"
