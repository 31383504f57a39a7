"""A plugin's own thread has the main thread of a whole daemon do something."""

from __future__ import annotations

from pyruse.testing import MakeDaemon, MakeJournal

PLUGIN = '''
from threading import Thread

from pyruse import BanRequest, hookimpl, parse_address, parse_network


class Teller:
    """Bans and unbans by what a thread has heard."""

    @hookimpl
    def on_start(self, context):
        self.heard = []
        if context.observer is not None:
            Thread(target=self.listen, args=[context], daemon=True).start()

    def listen(self, context):
        for text in ("2001:db8:7::1", "198.51.100.7", "lift"):
            self.heard.append(text)
            context.wake()

    @hookimpl
    def on_wake(self, context):
        while self.heard:
            text = self.heard.pop(0)
            if text == "lift":
                context.unban(None, parse_network("2001:db8:7::/64"), "told")
                context.log(None, "all is heard", "info")
                continue
            address = parse_address(text)
            context.ban(None, BanRequest(address, label="told", prefix6=64))
            context.table("teller").put(text, True)
'''
CHAIN = """
[chains]
"all" = [{ action = "discard" }]
"""


def test_bans_unbans_and_tables_by_another_thread_without_any_entry(
    daemon: MakeDaemon, journal_file: MakeJournal
) -> None:
    made = daemon(CHAIN, journal_file([{"MESSAGE": "hello"}]))
    folder = made.folder / "plugins"
    folder.mkdir()
    (folder / "teller.py").write_text(PLUGIN)
    made.start()
    made.wait_until(
        lambda: [ban["ip"] for ban in made.ask("bans")], lambda now: now == ["198.51.100.7"]
    )
    [ban] = made.ask("bans")
    assert (ban["label"], ban["chain"]) == ("told", "plugins.teller")
    assert [ban["ip"] for ban in made.ask("bans", "--all")].count("2001:db8:7::/64") <= 1
    assert made.stop() == 0
