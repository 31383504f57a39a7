"""Too few file descriptors: what is said where a journal is not read because of that."""

from __future__ import annotations

_EXPECTED = "(expected a higher limit: `ulimit -n`, LimitNOFILE= of the unit)"

NOT_ALL_READ = f"not all of the journal was read: there are too few file descriptors {_EXPECTED}"
TOO_FEW = f"too few file descriptors {_EXPECTED}"
