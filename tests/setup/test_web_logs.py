"""Web servers that log to files, where Pyruse sees nothing of them."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse.setup.web_logs import unseen_logs

NGINX = """
user www-data;
http {{
    log_format own '$remote_addr; # "$request"';
    {http}
    include conf.d/*.conf;
    include {etc}/nginx/sites-enabled/*;
}}
"""
SYSLOG = "syslog:server=unix:/dev/log,nohostname"
APACHE = """
ErrorLog ${{APACHE_LOG_DIR}}/error.log
{server}
IncludeOptional sites-enabled/*.conf
IncludeOptional conf-enabled
"""

Say = Callable[..., list[str]]


@pytest.fixture
def say(tmp_path: Path) -> Say:
    """``say("nginx", http=…, site=…)``: what is said of a server with these lines."""
    (tmp_path / "bin").mkdir()

    def said(program: str, main: str, site: str = "", more: str = "") -> list[str]:
        executable = tmp_path / "bin" / program
        executable.touch(mode=0o755)
        folder = tmp_path / program
        for name in ("conf.d", "sites-enabled", "sites-available", "conf-enabled"):
            (folder / name).mkdir(parents=True)
        (folder / f"{program}.conf").write_text(main)
        (folder / "sites-enabled/default.conf").write_text(site)
        (folder / "conf.d/more.conf").write_text(more)
        (folder / "conf-enabled/more").write_text(more)
        # Nobody includes it.
        (folder / "sites-available/other").write_text(
            f"access_log {SYSLOG};\nErrorLog syslog:daemon:apache2\n"
        )
        return unseen_logs({"nginx", "apache"}, tmp_path, str(tmp_path / "bin"))

    return said


@pytest.mark.parametrize(
    ("http", "site", "more"),
    [
        ("", "", ""),  # what is compiled in is a file
        ("access_log /var/log/nginx/access.log;\n error_log /var/log/nginx/error.log;", "", ""),
        ("access_log off;", "server { access_log /var/log/nginx/stderr own; }", ""),
        (f"# access_log {SYSLOG};", f"server {{ listen 80; # error_log {SYSLOG};\n}}", ""),
        ("access_log stderr;", "", ""),  # a file of this name
    ],
)
def test_nginx_that_writes_files_is_told(
    say: Say, tmp_path: Path, http: str, site: str, more: str
) -> None:
    [text] = say("nginx", NGINX.format(http=http, etc=tmp_path), site, more)
    assert text == (
        f"{tmp_path}/nginx/nginx.conf: no log of nginx goes to the journal, so Pyruse sees no "
        "request to it, and bans nobody for one (expected in the block http, and in each block "
        f"that has logs of its own: access_log {SYSLOG} combined; error_log {SYSLOG};)"
    )


@pytest.mark.parametrize(
    ("http", "site", "more"),
    [
        (f"access_log {SYSLOG} combined;", "", ""),
        ("error_log stderr;", "", ""),
        ("", f"server {{\n  access_log\n    '{SYSLOG}'\n    own;\n}}", ""),
        ("access_log /dev/stdout;", "", ""),
        ("access_log /var/log/nginx/access.log;", "", f"error_log {SYSLOG} info;"),
    ],
)
def test_nginx_that_logs_to_the_journal_is_not(
    say: Say, tmp_path: Path, http: str, site: str, more: str
) -> None:
    assert say("nginx", NGINX.format(http=http, etc=tmp_path), site, more) == []


@pytest.mark.parametrize(
    "site",
    [
        "",
        "<VirtualHost *:80>\n  CustomLog ${APACHE_LOG_DIR}/access.log combined\n</VirtualHost>",
        "#ErrorLog syslog:daemon:apache2\n",
        'CustomLog "|/usr/bin/rotatelogs /var/log/access.log 86400" combined\n',
    ],
)
def test_apache_that_writes_files_is_told(say: Say, tmp_path: Path, site: str) -> None:
    [text] = say("apache2", APACHE.format(server=""), site)
    assert text.startswith(f"{tmp_path}/apache2/apache2.conf: no log of apache2 goes to the journ")
    assert text.endswith(
        "(expected in each VirtualHost: ErrorLog syslog:daemon:apache2, and in a line of its own "
        'CustomLog "|/usr/bin/logger -t apache2 -p daemon.info" combined)'
    )


@pytest.mark.parametrize(
    ("server", "site", "more"),
    [
        ("errorlog syslog:daemon:apache2", "", ""),
        ("", '  CustomLog \\\n  "|/usr/bin/logger -t apache2 -p daemon.info" combined', ""),
        ("", "", "ErrorLog syslog\n"),
        ("ErrorLog /dev/stderr", "", ""),
    ],
)
def test_apache_that_logs_to_the_journal_is_not(
    say: Say, server: str, site: str, more: str
) -> None:
    assert say("apache2", APACHE.format(server=server), site, more) == []


def test_rules_that_are_not_in_use_say_nothing(say: Say, tmp_path: Path) -> None:
    assert say("nginx", "")
    assert unseen_logs({"sshd"}, tmp_path, str(tmp_path / "bin")) == []


def test_a_server_that_was_removed_is_not_told_of(say: Say, tmp_path: Path) -> None:
    """Its files may have stayed."""
    assert say("nginx", "")
    (tmp_path / "bin/nginx").unlink()
    assert unseen_logs({"nginx"}, tmp_path, str(tmp_path / "bin")) == []


def test_files_that_cannot_be_read_say_nothing(say: Say, tmp_path: Path) -> None:
    assert say("nginx", "")
    (tmp_path / "nginx/nginx.conf").unlink()
    assert unseen_logs({"nginx"}, tmp_path, str(tmp_path / "bin")) == []
    (tmp_path / "nginx/nginx.conf").mkdir()  # even root cannot read it
    assert unseen_logs({"nginx"}, tmp_path, str(tmp_path / "bin")) == []


def test_a_file_that_includes_itself_ends(say: Say, tmp_path: Path) -> None:
    assert len(say("nginx", f"include {tmp_path}/nginx/*.conf;")) == 1
