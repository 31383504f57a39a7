"""A secret in a file: what commands and the daemon say about it, and that none of them shows it."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.docs.site import install_package

SECRET = "correct-horse-battery"

PLUGIN = '''
from dataclasses import dataclass

from pyruse import Entry, SecretFile, hookimpl


@dataclass
class Tell:
    """Tell a service of an entry."""

    key_file: SecretFile
    """The file with the key for it."""

    @hookimpl
    def act_on_entry(self, entry: Entry) -> None:
        """Nothing, for this test."""
'''


@pytest.fixture
def secret(tmp_path: Path) -> Path:
    """The file with the secret."""
    file = tmp_path / "key"
    file.touch(0o640)
    file.write_text(f"{SECRET}\n")
    return file


@pytest.fixture
def config(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, journal: Path, secret: Path) -> Path:
    """A configuration with a step that needs it, by a package that is installed."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "pyruse_tell.py").write_text(PLUGIN)
    actions = {"pyruse.actions": {"tell": "pyruse_tell:Tell"}}
    install_package({"name": "pyruse-tell", "version": "1.0", "entry-points": actions}, site)
    monkeypatch.setenv("PYTHONPATH", str(site))
    file = tmp_path / "pyruse.toml"
    file.write_text(
        f"""
        [journal]
        files = ["{journal}"]
        start = "head"
        [state]
        url = "sqlite://{tmp_path}/state.sqlite"
        [email]
        to = ["root"]
        sendmail = ["/bin/true"]
        [chains]
        "all" = [ {{ action = "tell", key_file = "{secret}" }} ]
        """
    )
    return file


def test_no_command_shows_it(process, config):
    for command, *arguments in (
        ["check", "-v"],
        ["replay", "--format", "json"],
        ["explain", "MESSAGE=hello"],
        ["run", "--once"],
        ["status", "--format", "json"],
    ):
        done = process(command, "-c", config, *arguments)
        assert done.code == (command == "status"), (command, done.err)  # no daemon runs
        assert SECRET not in done.out + done.err, command
        assert "key_file" not in done.err, command


def test_plugins_and_schema_tell_what_the_option_takes(process, config):
    said = process("plugins", "tell").out
    assert "  key_file: a secret file; required\n      The file with the key for it.\n" in said
    schema = process("schema").out
    assert '"pattern": "^/"' in schema[schema.index('"key_file"') :].partition("}")[0]


def test_a_secret_that_everybody_may_read_is_a_warning_of_check_and_of_the_daemon(
    process, config, secret
):
    secret.chmod(0o644)
    fault = f'{config}: chains."all"[0].key_file: {secret} is open to every user of this machine'
    done = process("check", "-c", config)
    assert done.code == 0
    assert done.err.startswith(f"warning: {fault} (expected a file that Pyruse's user may read")
    done = process("run", "--once", "-c", config)
    assert done.code == 0, "everything else goes on"
    assert fault in done.err
    assert SECRET not in done.err
