"""A real browser that a test can lead: Chromium, by its DevTools protocol over a pipe."""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import sys

from pyruse.testing import wait_until

_NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
_FLAGS = (
    "--headless",
    "--no-sandbox",  # its sandbox does not work for root; the pages are our own
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",  # containers have little shared memory
    "--hide-scrollbars",
    "--remote-debugging-pipe",
)

# The browser reads from descriptor 3, and writes to 4.
_WITH_PIPES = """
import fcntl, os, sys
take, give = (fcntl.fcntl(int(one), fcntl.F_DUPFD, 10) for one in sys.argv[1:3])
os.dup2(take, 3)
os.dup2(give, 4)
os.execvp(sys.argv[3], sys.argv[3:])
"""


def unavailable():
    """Why there is no browser, or None where there is one."""
    return None if _found() else f"there is no browser (none of {', '.join(_NAMES)})"


def _found():
    return next(filter(None, map(shutil.which, _NAMES)), None)


class Chromium:
    """One tab. `ask` sends any command of the protocol."""

    def __init__(self, profile) -> None:
        """:param profile: a folder for what it keeps."""
        self._profile = profile
        take, self._write = os.pipe()
        self._read, give = os.pipe()
        self._process = subprocess.Popen(
            [
                *(sys.executable, "-c", _WITH_PIPES, str(take), str(give)),
                *(_found(), *_FLAGS, f"--user-data-dir={profile}"),
            ],
            pass_fds=(take, give), stderr=subprocess.DEVNULL,
        )  # fmt: skip
        os.close(take)
        os.close(give)
        self._buffer = b""
        self._number = 0
        self._session = None
        self.told = []
        """What the browser complained of: scripts and styles that it refused, for instance."""
        target = self.ask("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.ask("Target.attachToTarget", targetId=target, flatten=True)[
            "sessionId"
        ]
        for domain in ("Page", "Log", "Runtime"):
            self.ask(f"{domain}.enable")

    def ask(self, method, **params):
        self._number += 1
        message = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]

    def _next(self):
        while b"\0" not in self._buffer:
            more = os.read(self._read, 1 << 20)
            assert more, "the browser has gone"
            self._buffer += more
        line, _, self._buffer = self._buffer.partition(b"\0")
        message = json.loads(line)
        if message.get("method") == "Log.entryAdded":
            self.told.append(message["params"]["entry"]["text"])
        return message

    def screen(self, width, height, *, dark=False):
        self.ask(
            "Emulation.setDeviceMetricsOverride",
            width=width, height=height, deviceScaleFactor=1, mobile=width < 600,
        )  # fmt: skip
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self.ask("Emulation.setEmulatedMedia", features=[scheme])

    def go(self, url):
        self.ask("Page.navigate", url=url)
        self.until("document.readyState === 'complete' && location.href !== 'about:blank'")

    def run(self, script):
        result = self.ask("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in result, result
        return result["result"].get("value")

    def until(self, script):
        wait_until(lambda: self.run(script), said=lambda: f": {script}")

    def log_in(self, url, token):
        self.go(f"{url}/login")
        self.run(f"document.querySelector('#token').value = {json.dumps(token)}")
        self.run("document.querySelector('form').requestSubmit()")
        self.until("location.pathname === '/' && document.readyState === 'complete'")

    def picture(self, file):
        data = self.ask("Page.captureScreenshot", format="png")["data"]
        file.write_bytes(base64.b64decode(data))

    def close(self):
        os.close(self._write)
        try:
            self._process.wait(10)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)
        shutil.rmtree(self._profile, ignore_errors=True)
