"""Which log files the journal stands for."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SYSLOG = re.compile(
    r"/var/(?:log|adm)/(?:auth\.log|authlog|secure|messages|syslog|maillog|daemon\.log|user\.log|"
    r"kern\.log|cron(?:\.log)?|debug|local\d(?:\.log)?|mail(?:\.(?:log|warn|info|err))?)"
)
"""Files of the syslog daemon: what stands there is in the journal, too."""


def is_syslog(paths: Sequence[str]) -> bool:
    """Whether all of these files are the syslog daemon's."""
    return bool(paths) and all(_SYSLOG.fullmatch(path) for path in paths)


def others(paths: Sequence[str]) -> list[str]:
    """The files that some program writes itself."""
    return [path for path in paths if not _SYSLOG.fullmatch(path)]
