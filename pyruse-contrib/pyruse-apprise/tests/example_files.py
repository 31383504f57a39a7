"""The files that README.md names, below a folder."""

import sys
from pathlib import Path

folder = Path(sys.argv[1]) / "etc" / "pyruse"
folder.mkdir(parents=True)
file = folder / "apprise.conf"
file.touch(0o600)
file.write_text("ops=json://localhost\nreport=json://localhost\n")
