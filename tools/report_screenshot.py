"""Makes the picture of a report in the documentation, out of the report of ``pyruse demo``.

python tools/report_screenshot.py             # docs/report.png
python tools/report_screenshot.py FILE [HTML] # another file, or another report
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
from pathlib import Path

_ROOT = Path(__file__).parent.parent
sys.path.append(str(_ROOT))

from tools.browser import screenshot, unavailable  # noqa: E402 -- the path comes first

_WIDTH, _HEIGHT = 900, 860
_LARGEST = 150_000
"""Bytes: it is shown on the first page of the documentation."""


def main(file: Path, html: Path | None) -> None:
    """Take the picture."""
    if reason := unavailable():
        sys.exit(f"{reason}; on Debian: apt-get install chromium")
    with tempfile.TemporaryDirectory() as folder:
        if html is None:
            html = Path(folder) / "demo.html"
            subprocess.run(
                [sys.executable, "-m", "pyruse", "demo", "-o", html],
                check=True, stdout=subprocess.DEVNULL,
            )  # fmt: skip
        screenshot(html.absolute(), file.absolute(), _WIDTH, _HEIGHT)
    size = file.stat().st_size
    if size > _LARGEST:
        sys.exit(f"{file} has {size:,} bytes (expected at most {_LARGEST:,})")
    sys.stdout.write(f"{file}: {size:,} bytes\n")


if __name__ == "__main__":
    arguments = [Path(argument) for argument in sys.argv[1:3]]
    main(
        arguments[0] if arguments else _ROOT / "docs" / "report.png",
        arguments[1] if len(arguments) > 1 else None,
    )
