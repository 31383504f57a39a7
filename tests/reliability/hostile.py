"""What strangers may put into log lines, and a configuration that uses every built-in step."""

from __future__ import annotations

VALUES: tuple[str | bytes, ...] = (
    "",
    " ",
    "-",
    "-1",
    "3",
    "42",
    "1e999",
    "nan",
    "-inf",
    "9" * 30,
    "9" * 5000,  # Python refuses to make a number of it
    "\u0664\u0665",  # Arabic-Indic digits: int() takes them
    "\u00b2",  # a superscript two: isdigit(), but no number
    "0x1f",
    "root",
    "a\0b",
    "\0",
    "\x07\x1b[31mred\x1b[0m\x1b]0;title\x07\x9b2J",
    "one\ntwo\r\nBcc: everybody@example.org\r\n\r\nbody",
    "=?utf-8?q?=0ABcc:everybody@example.org?=",
    "\u202egnp.exe\u2066\u200b\ufeff\u2028\u2029",
    "\ud800",  # half of a character, which no encoding takes
    "\U0001f4a9" * 20,
    "{}",
    "{0}",
    "{MESSAGE}",
    "{MESSAGE.__class__}",
    "{{MESSAGE}}",
    "%s%n%(MESSAGE)s",
    "${jndi:ldap://192.0.2.1/a}",
    "{{ report.entries }}{% for x in range(9) %}{{ x }}{% endfor %}",
    "<script>alert(1)</script>",
    "\"><img src=x onerror=alert(1)>'",
    "</td></table></div><!--",
    "]]>&lt;&#0;&#x1f;",
    "[bold red]markup[/bold red] [link=http://example.org]x[/link]",
    "'; DROP TABLE events; --",
    "1.2.3.4; flush ruleset",
    "`reboot`$(reboot)",
    "--help",
    "192.0.2.7",
    "192.0.2.7/24",
    "192.0.2.7:22",
    "[2001:db8::1]:443",
    "192.0.2.7:99999",
    " 192.0.2.8\n",
    "::ffff:192.0.2.9",
    "[2001:db8::1]",
    "fe80::1%eth0",
    "fe80::1%\n",
    "0.0.0.0",
    "::",
    "127.0.0.1",
    "224.0.0.1",
    "255.255.255.255",
    "1.2.3",
    "010.001.000.001",
    "1.2.3.4.5",
    "::1::1",
    '{"ip": "192.0.2.1", "_UID": 0, "user": [{}], "a": [{"b": "\\ud800\\u0000"}], "n": 1e999}',
    '{"a": ' * 500,
    '{"ip": 1, "ip": 2, "MESSAGE": "{MESSAGE}", "json.a": null, "n": %s}' % ("9" * 5000),
    'ip=192.0.2.1 user="a\\x00\\ud800" _UID=0 ip=192.0.2.2 a="',
    "a=1 " * 500,
    "a" * 3_000,
    "( [" * 300,
    "x, " * 700,
    b"\xff\xfe\x00\x80",
    b"caf\xe9",
    b"\xed\xa0\x80",  # half of a character in UTF-8
    b"\xf0\x9f\x92",  # a character without its end
)
"""Values of fields, each of which has broken some program."""

FIELDS = (
    "MESSAGE",
    "PRIORITY",
    "SYSLOG_IDENTIFIER",
    "_HOSTNAME",
    "_PID",
    "MESSAGE_ID",
    "_SOURCE_REALTIME_TIMESTAMP",
    "SESSION_ID",
    "PYRUSE_HOPS",
    "OTHER",
    "ip",
    "user",
    "port",
)
"""Fields that the steps of `STEPS` look at, of every type that the journal has."""

STEPS: dict[str, tuple[str, ...]] = {
    "at_hours": ('hours = ["22:00-06:00", "07:00-08:00"]',),
    "at_least": (
        'field = "PRIORITY", value = 3',
        'field = "port", value = 2.5',
        'field = "user", value = "m"',
    ),
    "at_most": (
        'field = "_PID", value = 300',
        'field = "port", value = 2.5',
        'field = "user", value = "m"',
    ),
    "banned": ('ip = "ip"',),
    "contains": ('text = "a"', 'field = "MESSAGE_ID", text = "f"'),
    "equals": (
        'field = "PRIORITY", value = "3"',
        'field = "user", value = "root"',
        'field = "port", value = 42',
    ),
    "exists": ('field = "user"', 'field = "_SOURCE_REALTIME_TIMESTAMP"'),
    "in": ('field = "PRIORITY", values = [1, 2, 3]', 'field = "ip", values = ["::", "", "{}"]'),
    "in_networks": ('field = "ip", nets = ["192.0.2.0/24", "fe80::/10"]',),
    "json": ("", 'field = "OTHER", fields = { user = "a.0.b", port = "n" }', 'prefix = "x"'),
    "logfmt": ("", 'field = "OTHER", fields = { ip = "ip", user = "user" }'),
    "on_days": ('days = "Fri-Mon"',),
    "regex": (
        "pattern = ['{address} {address:user}', '^{address:OTHER}$']",
        r"pattern = '(?s)(?P<ip>\S+)(?P<user>.*)'",
        r"pattern = ['(?P<port>\d+)', '\W(?P<user>\w*)'], field = 'OTHER'",
        r"pattern = '^(\S*)\s(\d)?', save = ['user', 'port']",
    ),
    "user_exists": ('field = "user"',),
    "ban": (
        'ip = "ip", duration = "1h"',
        'ip = "ip", escalate = ["1m", "1d"], prefix4 = 24, prefix6 = 64, label = "nets"',
        'ip = "MESSAGE", duration = "10m", ports = [25], label = "mail"',
    ),
    "count": (
        'counter = "by address", key = "ip", within = "10m", into = "count"',
        'counter = "users", key = "ip", distinct = "user", within = "1h", into = "users"',
        'counter = "messages", key = "MESSAGE", by = 1000, within = "1m"',
        'counter = "sums", key = "user", by = "port", into = "sum"',
        'counter = "by address", key = "ip", by = 0, into = "count"',
    ),
    "continue": ("",),
    "discard": ("",),
    "dnat_capture": (
        'saddr = "ip", sport = "port", addr = "user", addr_value = "192.0.2.1", port = "_PID"',
        'saddr = "OTHER", addr = "MESSAGE", daddr = "ip", dport = "port", keep = "1h"',
    ),
    "dnat_replace": (
        'addr = "user", port = "_PID", saddr_into = "ip", sport_into = "port"',
        'addr = "MESSAGE", saddr_into = "client"',
    ),
    "email": (
        'message = "{MESSAGE} {user}", subject = "{MESSAGE} {ip!r:>20}", every = "10m"',
        'message = "{OTHER}", to = ["root"], subject = "{user}", every = "1h"',
    ),
    "event": (
        'name = "login failed", service = "{user}"',
        'name = "{MESSAGE}", fields = ["MESSAGE", "OTHER", "ip"]',
    ),
    "expect": (
        'name = "somebody", key = "user", every = "5m", email = true',
        'name = "anything", every = "10m", section = "interesting"',
    ),
    "forget": ('name = "last", key = "ip"',),
    "log": ('message = "{MESSAGE} {user!a}", level = "NOTICE"',),
    "network": ('ip = "ip", into = "OTHER"',),
    "recall": (
        'name = "last", key = "ip", into = "user"',
        'name = "pairs", key = "{user} {ip}", into = "OTHER"',
    ),
    "remember": (
        'name = "last", key = "ip", field = "MESSAGE", keep = "1h"',
        'name = "pairs", key = "{user} {ip}", value = "{MESSAGE} {port}", keep = "1m"',
    ),
    "report": (
        'section = "important", message = "{MESSAGE}"',
        'section = "interesting", message = "{user} {ip:^20} {port:05d}", details = "FIRSTLAST"',
        'section = "other", message = "{__REALTIME_TIMESTAMP:%H:%M} {MESSAGE_ID} {OTHER!s:.50}"',
    ),
    "reset": ('counter = "by address", key = "ip", grace = "1m", into = "count"',),
    "run": (
        'command = ["/bin/true", "{MESSAGE}", "--ip={ip}", "{OTHER!r}"]',
    ),
    "set": ('field = "user", value = "{user}@{_HOSTNAME}"',),
    "unban": ('ip = "ip"', 'ip = "MESSAGE", label = "mail"'),
}  # fmt: skip
"""Every built-in step, some of them several times: the options that read fields in all their
ways."""

_MAKERS = ("json", "logfmt", "regex", "set", "dnat_replace")
"""Steps that set fields, for the others to read: each entry passes them."""


def chains(kinds: dict[str, str]) -> str:
    """Chains that use every step: those that act, each for the entries whose ROUTE is its name.

    :param kinds: of each step, ``filter`` or ``action``.
    """
    lines = ["[chains]"]
    for name in sorted(STEPS, key=lambda name: name not in _MAKERS):
        for index, options in enumerate(STEPS[name]):
            lines.append(chain(f"{name} {index}", kinds[name], name, options))
    lines.append(
        '"everything else" = [{ action = "report", section = "other", message = "{MESSAGE}" }]'
    )
    return "\n".join(lines)


def chain(title: str, kind: str, name: str, options: str) -> str:
    """A chain of one step, out of which entries come again (unless it is their end)."""
    step = f'{{ {kind} = "{name}"{", " if options else ""}{options} }}'
    if kind == "filter":
        return f'"{title}" = [{step}]'
    route = (
        "" if name in _MAKERS else f'{{ filter = "equals", field = "ROUTE", value = "{name}" }}, '
    )
    return f'"{title}" = [{route}{step}, {{ filter = "exists", field = "nothing" }}]'
