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


@pytest.mark.parametrize(
    ("program", "file", "text"),
    [
        ("epylog", "epylog.conf", "[mail]\nmethod = mail\nmailto = root, <bad>\n"),
        ("logwatch", "conf/logwatch.conf", "MailTo = root <bad>\nService = sshd\n"),
    ],
)
def test_other_programs_for_reports(process, pyruse, tmp_path, program, file, text):
    folder = tmp_path / program
    (folder / file).parent.mkdir(parents=True)
    (folder / file).write_text(text)
    done = process("import", program, folder)
    assert done.code == 0
    assert done.err.endswith("no mail address, and left out: <bad>\n")
    assert 'to = ["root"]' in done.out
    assert pyruse("import", program, tmp_path).code == 2
