"""Files and folders, what overrides what, and what stands in `[plugins]` and `[bans.NAME]`."""

from __future__ import annotations

from datetime import time, timedelta
from pathlib import Path

import pytest

from pyruse.config import files
from pyruse.config.load import Configuration, configure, load
from pyruse.config.sections import SECTIONS, options_in
from pyruse.errors import ConfigError
from pyruse.options.networks import Networks
from pyruse.options.templates import Template
from pyruse.registry.registry import Registry

CHAINS = '[chains]\n"all" = [ { action = "discard" } ]\n'


@pytest.fixture(scope="module")
def registry() -> Registry:
    return Registry()


def write(folder: Path, **texts: str) -> Path:
    """Files by their names; ``conf_d_NAME`` is ``conf.d/NAME.toml``."""
    for name, text in texts.items():
        part = name.removeprefix("conf_d_")
        path = folder / ("conf.d" if part != name else "") / f"{part}.toml"
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    return folder


def loaded(text: str, registry: Registry) -> Configuration:
    return configure(files.from_text(text), registry)


def faults(path: Path, registry: Registry) -> list[str]:
    with pytest.raises(ConfigError) as caught:
        load(path, registry)
    return [fault.replace(str(path), "HERE") for fault in caught.value.faults]


def test_a_file_alone_is_a_configuration(tmp_path: Path, registry: Registry) -> None:
    write(tmp_path, other=CHAINS, conf_d_more='[email]\nto = ["root"]\n')
    configuration = load(tmp_path / "other.toml", registry)
    assert configuration.files == [tmp_path / "other.toml"]
    assert list(configuration.chains) == ["all"]
    assert configuration.settings.email.to == []  # conf.d belongs to the folder, not to the file


def test_a_folder_is_read_with_conf_d_in_the_order_of_names(
    tmp_path: Path, registry: Registry
) -> None:
    one = '[chains]\n"{0} b" = [ {{ action = "discard" }} ]\n"{0} a" = []\n'
    write(
        tmp_path,
        conf_d_20=one.format("20"), conf_d_10=one.format("10"), conf_d_9=one.format("9"),
        pyruse=one.format("main"),
    )  # fmt: skip
    (tmp_path / "conf.d" / "10.toml.bak").write_text("this is no TOML")
    (tmp_path / "conf.d" / ".#10.toml").symlink_to("an editor's lock")
    configuration = load(tmp_path, registry)
    names = [file.name for file in configuration.files]
    assert names == ["pyruse.toml", "10.toml", "20.toml", "9.toml"]
    # The order of the chains is the order of the main sequence.
    assert list(configuration.chains) == [
        "main b", "main a", "10 b", "10 a", "20 b", "20 a", "9 b", "9 a",
    ]  # fmt: skip


def test_a_folder_needs_no_pyruse_toml(tmp_path: Path, registry: Registry) -> None:
    write(tmp_path, conf_d_only=CHAINS)
    assert load(tmp_path, registry).files == [tmp_path / "conf.d" / "only.toml"]


def test_a_later_file_overrides_keys_and_leaves_the_others(
    tmp_path: Path, registry: Registry
) -> None:
    write(
        tmp_path,
        pyruse='[email]\nfrom = "one"\nto = ["root", "admin"]\n[report]\nat = "01:00"\n' + CHAINS,
        conf_d_10='[email]\nto = ["ops@example.org"]\n',
        conf_d_20='[email]\nto = ["last@example.org"]\n[bans]\nnever = ["192.0.2.0/24"]\n',
    )
    settings = load(tmp_path, registry).settings
    assert settings.email.from_ == "one"
    assert settings.email.to == ["last@example.org"]
    assert settings.report.at == time(1)
    assert [str(network) for network in settings.bans.never] == ["192.0.2.0/24"]


def test_each_fault_names_the_file_that_it_is_in(tmp_path: Path, registry: Registry) -> None:
    write(
        tmp_path,
        pyruse='[email]\nto = [5]\nfrom = "root"\n[report]\nat = "noon"\n' + CHAINS,
        conf_d_10='[email]\nfrom = 5\nform = "x"\n[chains]\n"ten" = [ { filter = "exists" } ]\n',
        conf_d_20='[report]\nat = "23:59"\n[bans]\nnever = [5]\n[plugins]\ndisable = ["x"]\n'
        '[plugins.ban_summary]\nlimit = "a"\n'
        '[chains]\n"20" = [ { action = "discard", then = "" } ]\n',
    )  # fmt: skip
    starts = [fault.partition(" (")[0].partition(": ")[::2] for fault in faults(tmp_path, registry)]
    # The faulty report.at is overridden, so it does no harm.
    assert [(file, address.partition(":")[0]) for file, address in starts] == [
        ("HERE/pyruse.toml", "email.to[0]"),
        ("HERE/conf.d/10.toml", "email.from"),
        ("HERE/conf.d/10.toml", "email.form"),
        ("HERE/conf.d/20.toml", "bans.never[0]"),
        ("HERE/conf.d/20.toml", "plugins.disable[0]"),
        ("HERE/conf.d/20.toml", "plugins.ban_summary.limit"),
        ("HERE/conf.d/10.toml", 'chains."ten"[0].field'),
        ("HERE/conf.d/20.toml", 'chains."20"[0].then'),
    ]


def test_every_file_that_is_no_toml_is_named_at_once(tmp_path: Path, registry: Registry) -> None:
    write(tmp_path, pyruse="[email\n", conf_d_10=CHAINS, conf_d_20="to = \n")
    (tmp_path / "conf.d" / "30.toml").write_bytes(b"\n\n# \xff\n")
    (tmp_path / "conf.d" / "40.toml").mkdir()
    assert [fault.partition(" (")[0] for fault in faults(tmp_path, registry)] == [
        "HERE/pyruse.toml: line 1, column 7: Expected ']' at the end of a table declaration",
        "HERE/conf.d/20.toml: line 1, column 6: Invalid value",
        "HERE/conf.d/30.toml: line 3 is not UTF-8",
        "HERE/conf.d/40.toml: cannot be read: Is a directory",
    ]


def test_a_place_without_configuration_says_what_is_expected_there(
    tmp_path: Path, registry: Registry
) -> None:
    (tmp_path / "conf.d").mkdir()
    (told,) = faults(tmp_path, registry)
    assert told.replace("sudo ", "") == (
        "HERE: no configuration there (expected pyruse.toml or conf.d/*.toml: "
        "`pyruse init -c HERE` writes one)"
    )
    assert faults(tmp_path / "pyruse.toml", registry) == [
        "HERE: cannot be read: No such file or directory (expected a TOML file; another place is "
        "chosen with -c PATH or PYRUSE_CONFIG)"
    ]


def test_a_byte_order_mark_is_no_fault(tmp_path: Path, registry: Registry) -> None:
    (tmp_path / "a.toml").write_bytes(b"\xef\xbb\xbf" + CHAINS.encode())
    assert list(load(tmp_path / "a.toml", registry).chains) == ["all"]


def test_the_environment_chooses_another_place(
    tmp_path: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYRUSE_CONFIG", str(tmp_path / "env"))
    (tmp_path / "env").mkdir()
    write(tmp_path / "env", pyruse=CHAINS)
    write(tmp_path, given=CHAINS.replace("all", "given"))
    assert list(load(None, registry).chains) == ["all"]
    assert list(load(tmp_path / "given.toml", registry).chains) == ["given"]  # -c comes first
    monkeypatch.setenv("PYRUSE_CONFIG", "")
    assert files.chosen(None) == Path("/etc/pyruse")
    monkeypatch.delenv("PYRUSE_CONFIG")
    assert files.chosen(None) == Path("/etc/pyruse")


def test_all_but_the_chains_has_defaults(registry: Registry) -> None:
    settings = loaded(CHAINS, registry).settings
    assert settings.journal.start == "tail"
    assert settings.journal.legacy_encoding == "iso-8859-1"
    assert settings.state.url.path == "/var/lib/pyruse/state.sqlite"
    assert settings.state.keep == timedelta(days=90)
    assert settings.email.sendmail == ["/usr/sbin/sendmail", "-t", "-i"]
    assert settings.email.smtp is None
    assert settings.report.at == time(0)
    assert settings.report.subject == Template("{host}: {verdict}")
    assert settings.bans.backend == "nftables"
    assert settings.bans.never == Networks([])
    assert (settings.backends, settings.plugins, settings.disabled) == ({}, {}, [])


def test_a_settings_object_is_nobody_elses(registry: Registry) -> None:
    one, other = loaded(CHAINS, registry).settings, loaded(CHAINS, registry).settings
    one.email.to.append(one.email.from_)
    assert other.email.to == []


def test_a_key_that_python_keeps_for_itself_is_written_plainly(registry: Registry) -> None:
    email = loaded('[email]\nfrom = "root@example.org"\n' + CHAINS, registry).settings.email
    assert email.from_ == "root@example.org"


def test_the_templates_are_beside_the_configuration(tmp_path: Path, registry: Registry) -> None:
    write(tmp_path, pyruse=CHAINS)
    assert load(tmp_path, registry).settings.templates == tmp_path / "templates"
    assert load(tmp_path / "pyruse.toml", registry).settings.templates == tmp_path / "templates"


def test_a_plugin_that_is_disabled_is_not_there(registry: Registry) -> None:
    assert "ban_summary" in loaded(CHAINS, registry).extensions
    configuration = loaded('[plugins]\ndisable = ["ban_summary"]\n' + CHAINS, registry)
    assert "ban_summary" not in configuration.extensions
    assert configuration.settings.disabled == ["ban_summary"]


def test_the_options_of_a_plugin_are_in_a_table_of_its_own(registry: Registry) -> None:
    configuration = loaded("[plugins.ban_summary]\nlimit = 7\n" + CHAINS, registry)
    assert configuration.extensions["ban_summary"].limit == 7


def test_the_options_of_a_firewall_are_in_a_table_of_bans(registry: Registry) -> None:
    text = '[bans]\nbackend = "nftables"\n[bans.nftables]\ntable = "banned"\n'
    settings = loaded(text + CHAINS, registry).settings
    assert settings.backends == {"nftables": {"table": "banned"}}
    assert settings.bans.backend == "nftables"


def test_a_firewall_may_not_be_needed(registry: Registry) -> None:
    text = '[plugins]\ndisable = ["nftables", "ipset"]\n'
    assert loaded(text + CHAINS, registry).settings.bans.backend == "nftables"
    with pytest.raises(ConfigError, match=r'bans\.backend: there is no firewall "ipset"'):
        loaded(text + '[bans]\nbackend = "ipset"\n' + CHAINS, registry)


def test_each_fault_is_told_once(registry: Registry) -> None:
    with pytest.raises(ConfigError) as caught:
        loaded("[email]\nto = 5\n[chains]\n", registry)
    assert len(caught.value.faults) == len(set(caught.value.faults)) == 2


def test_a_fault_is_one_printable_line(registry: Registry) -> None:
    text = '[chains]\n"a\\r\\nb\\u001b[2J" = [ { filter = "e\\nf", "x\\ny" = 1 } ]\n'
    with pytest.raises(ConfigError) as caught:
        loaded(text, registry)
    assert [fault.isprintable() for fault in caught.value.faults] == [True]


def test_chains_may_also_be_written_as_arrays_of_tables(registry: Registry) -> None:
    text = (
        '[[chains.ssh]]\nfilter = "exists"\nfield = "MESSAGE"\n[[chains.ssh]]\naction = "discard"\n'
    )
    steps = loaded(text, registry).chains["ssh"].steps
    assert [step.plugin for step in steps] == ["exists", "discard"]


def test_the_sections_that_files_know_are_those_that_are_understood() -> None:
    assert (*SECTIONS, "plugins", "rules", "chains") == files.KNOWN_SECTIONS
    assert "from" in options_in(SECTIONS["email"])
