"""Which log files the journal stands for, and how programs are told to log there."""

from __future__ import annotations

import re
from collections.abc import Sequence

_SYSLOG = re.compile(
    r"/var/(?:log|adm)/(?:auth\.log|authlog|secure|messages|syslog|maillog|daemon\.log|user\.log|"
    r"kern\.log|cron(?:\.log)?|debug|local\d(?:\.log)?|mail(?:\.(?:log|warn|info|err))?|"
    r"haproxy\.log|slapd\.log|ufw\.log)"
)
"""Files of the syslog daemon: what stands there is in the journal, too."""
_HOW = {
    "apache": (
        "Apache",
        'ErrorLog syslog:daemon:apache2 and CustomLog "|/usr/bin/logger -t apache2 -p daemon.info" '
        "combined",
    ),
    "asterisk": ("Asterisk", "syslog.local0 => notice,warning,security in logger.conf"),
    "exim": ("Exim", "log_file_path = syslog"),
    "grafana": ("Grafana", "mode = console in [log] of grafana.ini"),
    "lighttpd": ("lighttpd", 'server.errorlog-use-syslog = "enable"'),
    "mongodb": ("MongoDB", "systemLog.destination: syslog"),
    "named": ("BIND", "a channel with syslog daemon for its category security"),
    "nginx": (
        "nginx",
        "error_log syslog:server=unix:/dev/log,nohostname; and access_log "
        "syslog:server=unix:/dev/log,nohostname combined;",
    ),
    "proftpd": ("ProFTPD", "no SystemLog in proftpd.conf"),
    "squid": ("Squid", "access_log syslog:daemon.info squid"),
    "traefik": ("Traefik", "an accessLog without filePath"),
    "vsftpd": ("vsftpd", "syslog_enable=YES"),
}
"""By the first word of a filter's name: the program, and what its configuration needs."""


def is_syslog(paths: Sequence[str]) -> bool:
    """Whether all of these files are the syslog daemon's."""
    return bool(paths) and all(_SYSLOG.fullmatch(path) for path in paths)


def others(paths: Sequence[str]) -> list[str]:
    """The files that some program writes itself."""
    return [path for path in paths if not _SYSLOG.fullmatch(path)]


def how_to_log(filter_name: str) -> str:
    """What to do so that the lines of a filter's program come into the journal."""
    program, line = _HOW.get(filter_name.partition("-")[0], ("the program", ""))
    how = f": {line}" if line else ", by syslog or on its standard output"
    return f"have {program} log there{how}"
