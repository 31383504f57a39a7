"""Five folders as administrators have them: the whole text, and that it is a configuration."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from pyruse.config.files import from_text
from pyruse.config.load import configure
from pyruse.importers.fail2ban.convert import convert
from pyruse.importers.fail2ban.covered import Installed, fingerprint
from pyruse.importers.fail2ban.files import Folder
from pyruse.importers.fail2ban.jails import jail_values, read_jail
from pyruse.importers.findings import Findings
from pyruse.importers.outcome_text import to_toml
from pyruse.registry.registry import Registry

FOLDERS = Path(__file__).parent / "folders"
TEXTS = Path(__file__).parent / "texts"
OPTIONS = frozenset({"failures", "scans", "within", "ban", "ports"})


def known(folder: Path, *filters: str) -> Installed:
    """Rules for filters, which are taken for those that fail2ban ships."""
    source = Folder(folder, Findings())
    values = jail_values(source)
    stock: dict[str, set[str]] = {}
    for name in values.sections:
        if name in filters or name.partition("-")[0] in filters:
            jail = read_jail(name, values, source, "1d")
            stock.setdefault(jail.filter_name, set()).add(fingerprint(jail))
    return Installed(
        dict.fromkeys(filters, OPTIONS),
        frozenset({"dovecot", "postfix"}),
        {name: frozenset(known) for name, known in stock.items()},
    )


@pytest.mark.parametrize("name", ["debian", "dropins", "own", "mail", "broken"])
def test_the_whole_text_is_as_expected(name: str) -> None:
    text = to_toml(convert(FOLDERS / name), f"/etc/{name}")
    configure(from_text(text), Registry())
    assert text == (TEXTS / f"{name}.toml").read_text()


@pytest.mark.parametrize(
    ("name", "filters"), [("debian", ["sshd"]), ("mail", ["postfix", "dovecot"])]
)
def test_rules_take_the_place_of_filters_that_are_not_changed(
    name: str, filters: list[str]
) -> None:
    folder = FOLDERS / name
    text = to_toml(convert(folder, known(folder, *filters)), f"/etc/{name}")
    configure(from_text(text), Registry())
    assert text == (TEXTS / f"{name}-rules.toml").read_text()


@pytest.mark.parametrize(
    ("rules", "ports"), [("sshd", None), ("dovecot", ["1-65535"])], ids=["of all", "of some"]
)
def test_a_jail_that_closes_everything_does_so_by_rules_that_close_some_ports(
    tmp_path: Path, rules: str, ports: list[str] | None
) -> None:
    folder = tmp_path / "f"
    shutil.copytree(FOLDERS / ("debian" if rules == "sshd" else "mail"), folder)
    with (folder / "jail.local").open("a") as local:
        local.write(f"[{rules}]\naction = iptables-allports\n")
    outcome = convert(folder, known(folder, rules))
    assert outcome.settings[f"rules.{rules}"].get("ports") == ports
    configure(from_text(to_toml(outcome, "x")), Registry())


def test_a_changed_filter_is_written_out() -> None:
    text = to_toml(convert(FOLDERS / "dropins", Installed({"sshd": OPTIONS})), "/etc/fail2ban")
    assert "use =" not in text
    assert (
        "# Its filter is written out: its expressions are not those that come with fail2ban 1.0.2 "
        "or 1.1.0."
    ) in text


def _write() -> None:
    """Write the texts anew, to be looked at: python -m tests.importers.fail2ban.test_folders."""
    for name in ("debian", "dropins", "own", "mail", "broken"):
        (TEXTS / f"{name}.toml").write_text(to_toml(convert(FOLDERS / name), f"/etc/{name}"))
    for name, filters in (("debian", ["sshd"]), ("mail", ["postfix", "dovecot"])):
        outcome = convert(FOLDERS / name, known(FOLDERS / name, *filters))
        (TEXTS / f"{name}-rules.toml").write_text(to_toml(outcome, f"/etc/{name}"))


if __name__ == "__main__":
    _write()
