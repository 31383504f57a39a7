"""When the daemon tells the service manager that it is ready."""

from __future__ import annotations

import pytest

from pyruse.testing import MakeDaemon, MakeJournal

pytestmark = pytest.mark.realparts

CHAIN = """
[chains]
"ban" = [
  { filter = "regex", pattern = '^BAN (?P<ip>.*)$' },
  { action = "ban", ip = "ip", duration = "1h" },
]
"""

NFT = """#!/bin/sh
case "$*" in *list*) sleep 1 ;; *) cat ;; esac
"""
"""In the place of nft: when it answers, the daemon has nothing to read and waits."""

NO_LIMIT = """
from pyruse.daemon import daemon
daemon._READY_S = 600.0
"""


def test_it_is_ready_as_soon_as_the_firewall_has_answered_though_nothing_is_logged(
    daemon: MakeDaemon, journal_file: MakeJournal
) -> None:
    made = daemon(CHAIN, journal_file([{"MESSAGE": "nothing of note"}]))
    nft = made.folder / "nft"
    nft.write_text(NFT)
    nft.chmod(0o755)
    file = made.folder / "conf.d" / "nft.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(f'[bans.nftables]\ncommand = ["{nft}"]\n')
    made.prelude = NO_LIMIT
    made.start()
    assert made.stop() == 0
