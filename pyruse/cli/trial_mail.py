"""A mail that shows whether mails arrive."""

from __future__ import annotations

import socket
from collections.abc import Sequence
from typing import TYPE_CHECKING

from pyruse.cli.handing_over import HandedOver, hand_over
from pyruse.delivery.attempts import mailer
from pyruse.delivery.mail.address import mail_name
from pyruse.state.outbox_item import OutboxItem
from pyruse.times import now_us

if TYPE_CHECKING:
    from pyruse.config.load import Configuration

_TEXT = """Pyruse on {host} has sent this mail to find out whether its mail arrives: it does.

Warnings and daily reports come the same way. `pyruse test-mail` sends another one.
"""


def send_trial(loaded: Configuration, to: Sequence[str]) -> HandedOver:
    """Send it, the way that reports go: by the daemon, where one runs.

    :raises UserError: the daemon cannot be asked.
    """
    host = socket.gethostname()
    payload = {
        "subject": f"{host}: a test of Pyruse's mail", "to": list(to), "count": 1, "html": None,
        "parts": [_TEXT.format(host=host)],
    }  # fmt: skip
    now = now_us()
    item = OutboxItem("mail", payload, now, now)
    return hand_over(loaded, item, mailer(loaded.settings.email, mail_name(host)))
