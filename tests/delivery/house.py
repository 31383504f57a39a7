"""A daemon's main thread, as far as it lets mails, programs and log lines leave."""

from __future__ import annotations

import os
import signal
import threading
from collections.abc import Mapping
from pathlib import Path

from pyruse.config.settings import EmailSettings
from pyruse.delivery.delivery import Delivery
from pyruse.delivery.receivers import NO_RECEIVERS, Receivers
from pyruse.options.durations import Duration
from pyruse.options.mail_address import MailAddress
from pyruse.state.outbox import Outbox
from pyruse.state.outbox_item import OutboxItem
from pyruse.testing import wait_until
from pyruse.testing.waiting import TIME_LIMIT

SECOND = 1_000_000
HOUR = 3600 * SECOND
T0 = 1_773_489_600 * SECOND


class House:
    """A main thread with a clock of the test's: it puts items in, and makes its rounds."""

    def __init__(self, folder: Path) -> None:
        """Send nothing yet.

        :param folder: where sendmail puts the mails.
        """
        self.folder = folder
        self.outbox = Outbox()
        self.settings = EmailSettings(
            to=[MailAddress("root")], sendmail=[], timeout=Duration(seconds=TIME_LIMIT)
        )
        self.sendmail('cat > "$(mktemp mail.XXXXXX)"')
        self.faults: list[tuple[str, str]] = []
        self.logs: list[tuple[str, int, Mapping[str, object]]] = []
        self.log_fault: Exception | None = None
        self.woken = threading.Event()
        self.now = T0
        self.delivery = self.start()

    @property
    def receivers(self) -> Receivers:
        """The plugins that deliver themselves."""
        return NO_RECEIVERS

    def start(self) -> Delivery:
        """As the daemon does it at its start, with what is in the outbox."""
        return Delivery(
            outbox=self.outbox,
            settings=self.settings,
            host="vm1",
            journal_log=self._log,
            on_fault=self._fault,
            wake=self.woken.set,
            receivers=self.receivers,
        )

    def _fault(self, place: str, text: str, kind: str = "delivery", times: int = 1) -> None:
        self.faults += [(place, text)] * times

    def _log(self, message: str, level: int, fields: Mapping[str, object]) -> None:
        if self.log_fault is not None:
            raise self.log_fault
        self.logs.append((message, level, fields))

    def sendmail(self, script: str) -> None:
        """Have another program in place of sendmail."""
        file = self.folder / "sendmail"
        file.write_text(f"cd {self.folder}\n{script}\n")
        self.settings.sendmail = ["/bin/sh", str(file), "-t"]

    def mail(self, subject: str, to: list[str] | None = None) -> OutboxItem:
        payload = {
            "subject": subject, "to": ["root"] if to is None else to, "parts": ["text"],
            "count": 1, "html": None,
        }  # fmt: skip
        return self.put("mail", payload)

    def command(self, *command: str, timeout: float = TIME_LIMIT) -> OutboxItem:
        payload = {"command": list(command), "timeout": timeout, "step": 'chains."ssh"[3]'}
        return self.put("command", payload)

    def log(self, message: str) -> OutboxItem:
        return self.put("log", {"message": message, "level": 6, "fields": {"PYRUSE_HOPS": 1}})

    def put(self, kind: str, payload: dict[str, object]) -> OutboxItem:
        item = OutboxItem(kind, payload, self.now, self.now)
        self.outbox.put(item)
        return item

    def started(self) -> int:
        """Wait for the program that writes its number into the file `pid`."""
        file = self.folder / "pid"
        wait_until(lambda: file.exists() and file.read_text().endswith("\n"))
        return int(file.read_text())

    def kill(self) -> None:
        """End that program."""
        os.kill(self.started(), signal.SIGKILL)

    def round(self) -> bool:
        """One turn of the main loop: send what is due, wait for what became of it."""
        changed = self.delivery.dispatch(self.now)
        while self.delivery.busy:
            changed = self.collect() or changed
        return changed

    def collect(self) -> bool:
        """Sleep until something has become of what was sent, and take that in."""
        assert self.woken.wait(TIME_LIMIT), "no wake"
        self.woken.clear()
        return self.delivery.collect(self.now)

    def subjects(self) -> list[str]:
        """Of the mails that sendmail took, without order."""
        mails = [file.read_text() for file in self.folder.glob("mail.*")]
        return sorted(mail.partition("Subject: ")[2].partition("\n")[0] for mail in mails)
