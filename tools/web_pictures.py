"""Makes the pictures in the README of pyruse-web, of the day that ``pyruse demo`` shows.

python tools/web_pictures.py
"""

from __future__ import annotations

import lzma
import subprocess
import sys
import tempfile
from contextlib import closing
from importlib.resources import files
from pathlib import Path

from msgspec.structs import replace

from pyruse import Observer, time_us_of
from pyruse.config.load import load
from pyruse.daemon.status.observer import StateObserver
from pyruse.engine.assembly import assemble
from pyruse.engine.faults import Faults
from pyruse.engine.modes import LIVE
from pyruse.journal.selection import Selection
from pyruse.registry.registry import Registry
from pyruse.state.database import State

_ROOT = Path(__file__).parents[1] / "pyruse-contrib" / "pyruse-web"
sys.path[:0] = [str(_ROOT), str(_ROOT / "tests")]

from chromium import Chromium, unavailable  # type: ignore[import-not-found]  # noqa: E402
from conftest import TOKEN, Page  # type: ignore[import-not-found]  # noqa: E402

_LARGEST = 150_000
"""Bytes of a picture."""


def main() -> None:
    """Take the pictures."""
    if reason := unavailable():
        sys.exit(f"{reason}; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        observer = observed(Path(folder))
        zone = observer.report(0).begin.tzinfo
        with (
            closing(Page(observer, zone)) as page,
            closing(Chromium(Path(folder, "browser"))) as browser,
        ):
            for name, path, width, height, dark in (
                ("today", "/", 1000, 900, False),
                ("kinds", "/?part=interesting", 1000, 560, True),
                ("chains", "/chains?show=none&open=sudo", 1000, 900, True),
                ("phone", "/", 390, 844, False),
            ):
                browser.screen(width, height, dark=dark)
                browser.log_in(page.url, TOKEN)
                browser.go(f"{page.url}{path}")
                if name == "kinds":
                    browser.run("document.querySelector('.rows details').open = true")
                browser.picture(file := _ROOT / f"{name}.png")
                if file.stat().st_size > _LARGEST:
                    sys.exit(f"{file} has {file.stat().st_size:,} bytes (expected {_LARGEST:,})")


def observed(folder: Path) -> Observer:
    """Pyruse at the end of the day of the demo, as an observer sees it."""
    command = [sys.executable, "-m", "pyruse", "demo", "--show-config"]
    toml = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (folder / "pyruse.toml").write_text(f"{toml}\n[engine]\ncounters = true\n")
    journal = folder / "day.journal"
    packed = files("pyruse") / "demo" / "day.journal.xz"
    journal.write_bytes(lzma.decompress(packed.read_bytes()))
    configuration = load(folder / "pyruse.toml", Registry())
    path = str(folder / "state.sqlite")
    with State(path) as state:
        engine = assemble(configuration, state, Faults(lambda *_: None), replace(LIVE, own=set))
        reader = Selection(files=[journal]).open(engine.decoder)
        with closing(reader):
            # Not to the end of the day: there are bans in force then.
            last = reader.last()
            assert last is not None
            evening = time_us_of(last["__REALTIME_TIMESTAMP"].replace(hour=17))
        reader = Selection(files=[journal], until=evening).open(engine.decoder)
        with closing(reader):
            engine.handle(reader.entries(1 << 30))
        engine.expire(engine.last_time)
        state.positions.update({"day": (reader_cursor(journal), engine.last_time)})
        state.commit()
        assert engine.traffic is not None
        chains = engine.traffic.data()
        now = engine.last_time
    daemon = {"chains": chains}
    return StateObserver(configuration, path, lambda: daemon, lambda: now, engine.contributors)


def reader_cursor(journal: Path) -> str:
    """Any cursor: how far the journal is handled is not in the pictures."""
    return f"t={journal.stat().st_size:x}"


if __name__ == "__main__":
    main()
