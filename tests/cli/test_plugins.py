"""``pyruse plugins``: what is installed."""

from __future__ import annotations

import json
from importlib.metadata import version

from pyruse import hookimpl, hookspecs
from pyruse_plugins.filters.exists import Exists
from tests.docs.site import install_package


def test_a_line_for_each(process):
    done = process("plugins")
    assert (done.code, done.err) == (0, "")
    rows = [line.split("\t") for line in done.out.splitlines()]
    names = {(row[0], row[1]) for row in rows}
    assert {("filter", "equals"), ("action", "report"), ("extension", "nftables")} <= names
    distribution = f"pyruse {version('pyruse')}"
    assert ["filter", "exists", "Pass when an entry has a field, whatever its value.",
            distribution] in rows  # fmt: skip


def test_one_with_its_options(pyruse):
    done = pyruse("plugins", "at_most")
    assert (done.code, done.err) == (0, "")
    origin = f"pyruse {version('pyruse')}, group pyruse.filters"
    assert done.out.startswith(f"filter at_most ({origin})\n\nPass when a field ")
    assert "\nOptions of its steps:\n  field: " in done.out
    assert "; required\n      The field to look at.\n" in done.out


def test_a_whole_program_plugin_with_its_hooks_and_the_table_of_its_options(pyruse):
    said = pyruse("plugins", "mail_report").out
    assert said.startswith(f"extension mail_report (pyruse {version('pyruse')}, group pyruse)\n")
    assert "\nHooks: publish_report\n" in said
    said = pyruse("plugins", "nftables").out
    assert said.endswith(
        """
Hooks: open_firewall

Options in [bans.nftables]:
  command: a command line; default: ["nft"]
      The program, and arguments that come before all others.
  table: a table name; default: "pyruse"
      The name of Pyruse's own table.
"""
    )


def test_the_same_name_in_two_groups_is_told_twice(pyruse, tmp_path, monkeypatch):
    twice = {"pyruse.filters": {"ban": "pyruse_plugins.filters.exists:Exists"}}
    install_package({"name": "pyruse-x", "version": "1", "entry-points": twice}, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    said = pyruse("plugins", "ban").out
    assert said.startswith("filter ban (pyruse-x 1, group pyruse.filters)\n")
    assert f"\naction ban (pyruse {version('pyruse')}, group pyruse.actions)\n" in said


def test_one_that_is_broken(pyruse, tmp_path, monkeypatch):
    points = {"pyruse.filters": {"geo": "pyruse_geo_that_is_not_there:Geo"}}
    install_package({"name": "pyruse-geo", "version": "1.0", "entry-points": points}, tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    done = pyruse("plugins", "geo")
    assert (done.code, done.out) == (1, "")
    assert done.err == (
        'pyruse: filter "geo" of pyruse-geo 1.0: cannot be imported: ModuleNotFoundError: No '
        "module named 'pyruse_geo_that_is_not_there' (expected a working plugin: upgrade or remove "
        "pyruse-geo)\n"
    )
    assert pyruse("plugins").code == 0  # the list is there, without it


class Behind:
    @hookimpl
    def on_stop(self):
        """What it does is of no matter."""


def test_a_hook_that_is_to_go_is_told_of(pyruse, monkeypatch):
    def on_stop(context):
        """Deprecated, as far as this test can tell."""

    told = DeprecationWarning("on_stop goes with Pyruse 3 (expected on_start alone)")
    monkeypatch.setattr(hookspecs, "on_stop", hookspecs.hookspec(on_stop, warn_on_impl=told))
    monkeypatch.setattr(Exists, "on_stop", Behind.on_stop, raising=False)
    monkeypatch.setattr("pyruse.registry.packages.OWN", "nobody's")  # ours are not checked again
    done = pyruse("plugins", "exists")
    assert done.code == 0
    assert done.err == (
        f'pyruse: filter "exists" of pyruse {version("pyruse")}: on_stop goes with Pyruse 3 '
        "(expected on_start alone)\n"
    )


def test_json(pyruse):
    done = pyruse("plugins", "email", "--format", "json")
    (described,) = json.loads(done.out)
    assert (described["kind"], described["name"]) == ("action", "email")
    assert (described["group"], described["table"]) == ("pyruse.actions", None)
    assert described["hooks"] == ["act_on_entry"]
    assert described["summary"] == "Send a mail at once."
    options = {option["name"]: option for option in described["options"]}
    assert list(options) == ["message", "subject", "to", "every"]
    assert options["message"]["required"] is True
    assert options["every"]["default"] == "none"


def test_the_tables_of_a_list_have_their_options_told(pyruse):
    done = pyruse("plugins", "mail_report")
    assert "\n  mails: a list, each item a report mail; default: [{}]\n" in done.out
    assert '\n      every: one of: "day", "week", "month"; default: "day"\n' in done.out


def test_one_that_is_not_installed(pyruse):
    done = pyruse("plugins", "equal")
    assert (done.code, done.out) == (1, "")
    assert done.err.startswith('pyruse: there is no plugin "equal" (expected one that ')
    assert 'did you mean "equals"?' in done.err


def test_on_a_terminal_it_is_a_table(on_terminal):
    done = on_terminal("plugins")
    assert done.code == 0
    assert "what it does" in done.out
    assert "\t" not in done.out
    narrow = on_terminal("plugins", columns=80)
    assert narrow.out.endswith("(no room for: comes from)\n")
