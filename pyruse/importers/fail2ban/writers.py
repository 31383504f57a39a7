"""Who writes what filters of fail2ban look for, where the filters themselves do not say it.

They were written for the files of these programs: whatever stands there, the program has written.
In the journal, everybody writes. The names of units are those of Debian and Fedora.
"""

from __future__ import annotations

from pyruse.importers.fail2ban.guards import Guard


def _units(*names: str) -> Guard:
    return Guard(ways=((("_SYSTEMD_UNIT", tuple(f"{name}.service" for name in names)),),))


_APACHE = _units("apache2", "httpd")
WRITERS = {
    "3proxy": _units("3proxy"),
    "apache-auth": _APACHE,
    "apache-badbots": _APACHE,
    "apache-botsearch": _APACHE,
    "apache-fakegooglebot": _APACHE,
    "apache-modsecurity": _APACHE,
    "apache-nohome": _APACHE,
    "apache-noscript": _APACHE,
    "apache-overflows": _APACHE,
    "apache-shellshock": _APACHE,
    "assp": _units("assp"),
    "directadmin": _units("directadmin"),
    "ejabberd-auth": _units("ejabberd"),
    # Its processes end before journald looks at them: the unit is missing then.
    "exim": Guard(("exim", "exim4")),
    "exim-spam": Guard(("exim", "exim4")),
    "gitlab": _units("gitlab-runsvdir"),
    "grafana": _units("grafana-server"),
    "lighttpd-auth": _units("lighttpd"),
    "mongodb-auth": _units("mongod", "mongodb"),
    "monitorix": _units("monitorix"),
    "mssql-auth": _units("mssql-server"),
    "named-refused": _units("named", "bind9"),
    "openhab": _units("openhab"),
    "pam-generic": Guard(),  # of all programs that ask PAM
    "sogo-auth": _units("sogo"),
    "softethervpn": _units("softether-vpnserver", "vpnserver"),
    "squid": _units("squid"),
    "stunnel": _units("stunnel4", "stunnel"),
    "traefik-auth": _units("traefik"),
    "vsftpd": _units("vsftpd"),
    "zoneminder": _units("zoneminder"),
}
