"""A real browser without a window: Chromium, for tests and for screenshots."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # its sandbox does not work for root; the pages are our own files
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # containers have little shared memory
    "--hide-scrollbars",
)
_SECONDS = 120

DARK = "--blink-settings=preferredColorScheme=0"
"""Chromium's way to say that the reader prefers a dark page."""


def unavailable() -> str | None:
    """Why there is no browser, or None where there is one."""
    return None if _found() else f"there is no browser (none of {', '.join(_NAMES)})"


def dump_dom(page: Path, *flags: str) -> str:
    """The page as HTML, after it has been loaded and its scripts have run."""
    return _run(page, "--dump-dom", "--virtual-time-budget=10000", *flags)


def screenshot(page: Path, file: Path, width: int, height: int, *flags: str) -> None:
    """A picture (PNG) of the top of the page."""
    _run(page, f"--screenshot={file}", f"--window-size={width},{height}", *flags)


def _run(page: Path, *flags: str) -> str:
    browser = _found()
    if browser is None:
        raise RuntimeError(unavailable())
    with tempfile.TemporaryDirectory(dir=page.parent, ignore_cleanup_errors=True) as profile:
        command = [browser, *_FLAGS, f"--user-data-dir={profile}", *flags, page.as_uri()]
        done = subprocess.run(command, capture_output=True, check=False, timeout=_SECONDS)
    if done.returncode != 0:
        raise RuntimeError(f"{browser} failed: {done.stderr.decode(errors='replace')[-2000:]}")
    return done.stdout.decode()


def _found() -> str | None:
    return next(filter(None, map(shutil.which, _NAMES)), None)
