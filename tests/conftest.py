"""What the tests share: they use the fixtures that authors of plugins use (pyruse.testing)."""

from __future__ import annotations

import sys
from pathlib import Path

ROOT = Path(__file__).parent.parent

# The generators under tools/ are no part of the wheel. Appended, so that an installed Pyruse wins.
sys.path.append(str(ROOT))
