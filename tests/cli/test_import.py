"""``pyruse import``: what is said. What becomes of it: tests/importers."""

from __future__ import annotations

import json

import pytest

OLD = {
    "email": {"from": "pyruse@example.org", "to": ["hostmaster@example.org"]},
    "actions": {
        "SSH": [
            {"filter": "filter_equals", "args": {"field": "SYSLOG_IDENTIFIER", "value": "sshd"}},
            {"action": "action_dailyReport", "args": {"level": "WARN", "message": "{MESSAGE}"}},
        ]
    },
}


@pytest.fixture
def old(tmp_path):
    file = tmp_path / "pyruse.json"
    file.write_text(json.dumps(OLD))
    return file


def test_the_new_configuration_is_printed_and_has_no_faults(process, pyruse, old, tmp_path):
    done = process("import", "pyruse1", old)
    assert (done.code, done.err) == (0, "")
    new = tmp_path / "new.toml"
    new.write_text(done.out)
    checked = pyruse("check", "-c", new)
    assert checked.code == 0
    assert checked.out.endswith("1 chain with 2 steps: no faults\n")


def test_it_is_written_to_a_new_file_only(pyruse, old, tmp_path):
    new = tmp_path / "new.toml"
    done = pyruse("import", "pyruse1", old, "-o", new)
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"{new}: written; look at its comments, then: ")
    before = new.read_bytes()
    done = pyruse("import", "pyruse1", old, "-o", new)
    assert (done.code, done.out) == (2, "")
    assert done.err == f"{new}: cannot be written: File exists (expected a new file)\n"
    assert new.read_bytes() == before


@pytest.mark.parametrize(
    "content",
    ["", "{", "[]", "5", '{"actions": 5}', '{"actions": {"a": [5]}}', '{"x": "\ud800"}', "\0"],
)
def test_what_is_no_configuration_of_pyruse_1(pyruse, tmp_path, content):
    file = tmp_path / "pyruse.json"
    file.write_bytes(content.encode(errors="surrogatepass"))
    done = pyruse("import", "pyruse1", file)
    assert (done.code, done.out) == (2, "")
    assert all(line.startswith(f"{file}: ") for line in done.err.splitlines())
    assert "(expected" in done.err


@pytest.mark.parametrize("name", ["nowhere.json", "."])
def test_a_file_that_cannot_be_read(pyruse, tmp_path, name):
    done = pyruse("import", "pyruse1", name)
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith(f"{name}: cannot be read: ")
    assert done.err.endswith("(expected a pyruse.json of Pyruse 1)\n")


# fail2ban


@pytest.fixture
def fail2ban(tmp_path):
    folder = tmp_path / "fail2ban"
    (folder / "filter.d").mkdir(parents=True)
    (folder / "jail.conf").write_text(
        "[shop]\nenabled = true\nbackend = systemd\nport = 443\nignoreself = false\n"
        "action = iptables-multiport[port=%(port)s]\n"
    )
    (folder / "filter.d" / "shop.conf").write_text(
        "[Definition]\nfailregex = denied <ADDR>$\njournalmatch = _SYSTEMD_UNIT=shop.service\n"
    )
    return folder


def test_a_folder_of_fail2ban_is_printed_with_notes_on_standard_error(process, pyruse, fail2ban):
    done = process("import", "fail2ban", fail2ban)
    note = "[shop]: ignoreself = false: this machine's own addresses are never banned; left out"
    assert (done.code, done.err) == (0, f"{note}\n")
    assert f"# - {note}\n" in done.out
    new = fail2ban / "new.toml"
    new.write_text(done.out)
    checked = pyruse("check", "-c", new)
    assert checked.out.endswith("1 chain with 8 steps: no faults\n")


def test_what_is_no_folder_of_fail2ban_has_exit_code_2(process, tmp_path):
    done = process("import", "fail2ban", tmp_path)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"{tmp_path}: jail.conf: there is no such file that can be read (expected the folder of "
        "fail2ban)\n"
    )


def test_a_folder_without_a_jail_that_is_switched_on_has_exit_code_2(process, fail2ban):
    (fail2ban / "jail.local").write_text("[shop]\nenabled = false\n")
    done = process("import", "fail2ban", fail2ban)
    assert (done.code, done.out) == (2, "")
    assert done.err == (
        f"{fail2ban}: no jail is switched on (expected enabled = true in the section of a jail)\n"
    )


def test_the_import_of_fail2ban_is_written_to_a_new_file_only(pyruse, fail2ban, tmp_path):
    new = tmp_path / "new.toml"
    done = pyruse("import", "fail2ban", fail2ban, "-o", new)
    assert done.code == 0
    assert done.out == f"{new}: written; look at its comments, then: pyruse check -c {new}\n"
    again = pyruse("import", "fail2ban", fail2ban, "-o", new)
    assert again.code == 2
    assert again.err.endswith(f"{new}: cannot be written: File exists (expected a new file)\n")
