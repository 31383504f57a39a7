"""Plugins without a package: Python files in ``plugins/``, beside the configuration.

The commands are run as they are, in this process.
"""

from __future__ import annotations

import json
import os
import py_compile
import signal
import textwrap
from collections.abc import Callable
from pathlib import Path

import pytest

from pyruse import Entry, hookimpl
from pyruse.errors import ConfigError
from pyruse.registry.files import name_of_class

OFFICE = '''
from dataclasses import dataclass
from pyruse import Entry, hookimpl

@dataclass
class OfficeHours:
    """Pass when somebody is at work."""

    closes: int = 18
    """The hour when nobody is left."""

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        return 8 <= entry["__REALTIME_TIMESTAMP"].hour < self.closes
'''

FILTER = """
from pyruse import hookimpl
class NAME:
    @hookimpl
    def match_entry(self, entry): return True
"""

ONE_STEP = '[chains]\n"c" = [{ filter = "%s" }, { action = "discard" }]\n'


class Site:
    """A folder with a configuration and plugins, and the commands."""

    def __init__(self, folder: Path, pyruse) -> None:
        self.folder = folder
        self.plugins = folder / "plugins"
        self._pyruse = pyruse

    def write(self, name: str, source: str | bytes) -> Path:
        file = self.plugins / name
        file.parent.mkdir(exist_ok=True)
        text = textwrap.dedent(source).encode() if isinstance(source, str) else source
        file.write_bytes(text)
        return file

    def run(self, command: str, *arguments: str):
        return self._pyruse(command, "-c", "pyruse.toml", *arguments)

    def check(self, toml: str):
        (self.folder / "pyruse.toml").write_text(toml)
        return self.run("check")

    def faults(self, toml: str = ONE_STEP % "exists") -> list[str]:
        """What is told of files, on standard error, by a check that goes well."""
        done = self.check(toml)
        assert done.code == 0, done.err
        assert "Traceback" not in done.err
        return [
            line.removeprefix("pyruse: ")
            for line in done.err.splitlines()
            if not line.startswith("warning: ")
        ]


@pytest.fixture
def site(tmp_path: Path, pyruse) -> Site:
    tmp_path.chmod(0o755)
    return Site(tmp_path, pyruse)


EXISTS = '[chains]\n"c" = [{ filter = "exists", field = "A" }, { action = "discard" }]\n'


def told(site: Site) -> list[str]:
    return site.faults(EXISTS)


# ---- What is a plugin


def test_a_file_beside_the_configuration_works_in_the_next_check(site: Site) -> None:
    site.write("mine.py", OFFICE)
    done = site.check('[chains]\n"c" = [{ filter = "office_hours", closes = 20 }]\n')
    assert (done.code, done.out) == (0, "pyruse.toml: 1 chain with 1 step: no faults\n")
    done = site.check('[chains]\n"c" = [{ filter = "office_hours", closes = "late" }]\n')
    assert done.err == (
        'pyruse.toml: chains."c"[0].closes: "late" is of the wrong type (expected a whole number)\n'
    )


def test_what_a_plugin_prints_goes_to_standard_error(site: Site) -> None:
    site.write(
        "mine.py",
        """
        from pyruse import hookimpl
        print("imported")

        class Office:
            "Pass, and say so."
            @hookimpl
            def match_entry(self, entry):
                print("asked")
                return True
        """,
    )
    (site.folder / "pyruse.toml").write_text(ONE_STEP % "office")
    done = site.run("plugins", "--format", "json")
    assert "office" in {plugin["name"] for plugin in json.loads(done.out)}
    assert "imported\n" in done.err
    done = site.run("explain", "MESSAGE=x")
    assert "  [0] office: passes\n" in done.out
    assert "asked" not in done.out
    assert "asked\n" in done.err


def test_the_configuration_may_be_a_folder(site: Site, pyruse) -> None:
    site.write("mine.py", OFFICE)
    (site.folder / "pyruse.toml").write_text(ONE_STEP % "office_hours")
    assert pyruse("check", "-c", ".").code == 0


def test_its_chain_and_its_command_go_through_it(site: Site, journal_file) -> None:
    site.write("mine.py", OFFICE)
    assert site.check(ONE_STEP % "office_hours").code == 0
    assert "[0] office_hours: " in site.run("explain", "MESSAGE=hello").out
    journal = journal_file([{"MESSAGE": "hello"}])
    assert site.run("replay", "--file", str(journal)).code == 0


def test_the_list_of_plugins_names_the_file(site: Site) -> None:
    file = site.write("mine.py", OFFICE)
    site.check(EXISTS)
    row = "filter\toffice_hours\tPass when somebody is at work.\tplugins/mine.py"
    assert row in site.run("plugins").out.splitlines()
    said = site.run("plugins", "office_hours").out
    assert said.startswith("filter office_hours (plugins/mine.py)\n\nPass when somebody is at work")
    assert "  closes: a whole number; default: 18\n      The hour when nobody is left." in said
    [described] = json.loads(site.run("plugins", "office_hours", "--format", "json").out)
    assert (described["file"], described["distribution"]) == ("plugins/mine.py", None)
    assert file.is_file()


def test_the_schema_has_it(site: Site) -> None:
    site.write("mine.py", OFFICE)
    site.check(EXISTS)
    steps = json.loads(site.run("schema").out)["$defs"]["step"]["oneOf"]
    assert {"const": "office_hours"} in [step["properties"].get("filter") for step in steps]


@pytest.mark.parametrize(
    ("cls", "name"),
    [
        ("InNetworks", "in_networks"),
        ("Office", "office"),
        ("HTTPStatus", "http_status"),
        ("IPv6Only", "i_pv6_only"),
        ("Ipv6Only", "ipv6_only"),
        ("PseudonymAction", "pseudonym_action"),
        ("snake_case", "snake_case"),
    ],
)
def test_a_class_is_called_in_chains_as_built_in_plugins_are(cls: str, name: str) -> None:
    assert name_of_class(type(cls, (), {})) == name


def test_one_spelling_is_right_and_others_are_told_it(site: Site) -> None:
    site.write("mine.py", OFFICE)
    done = site.check(ONE_STEP % "OfficeHours")
    assert done.err == (
        'pyruse.toml: chains."c"[0].filter: there is no filter "OfficeHours" (expected one that is '
        'installed: see `pyruse plugins`; did you mean "office_hours"?)\n'
    )


def test_a_class_may_have_another_name(site: Site) -> None:
    site.write(
        "mine.py", OFFICE.replace("    closes: int", '    name = "at-work"\n    closes: int')
    )
    assert site.check(ONE_STEP % "at-work").code == 0
    assert site.check(ONE_STEP % "office_hours").code == 2


def test_a_file_may_have_several_plugins_and_what_is_none(site: Site) -> None:
    site.write(
        "several.py",
        """
        from dataclasses import dataclass
        from pyruse import Report, hookimpl
        from pyruse_plugins.filters.exists import Exists

        class Helper: pass

        class _Base:
            @hookimpl
            def match_entry(self, entry): return True

        class Derived(_Base): pass

        class Both:
            @hookimpl
            def match_entry(self, entry): return True
            @hookimpl
            def act_on_entry(self, entry): pass

        class Whole:
            @hookimpl
            def on_day_end(self, report: Report): pass
        """,
    )
    assert told(site) == []
    rows = [line.split("\t") for line in site.run("plugins").out.splitlines()]
    mine = [(kind, name) for kind, name, _, origin in rows if origin == "plugins/several.py"]
    assert mine == [
        ("filter", "both"), ("filter", "derived"), ("action", "both"), ("extension", "whole"),
    ]  # fmt: skip


def test_a_file_with_hooks_outside_of_classes_is_an_extension(site: Site) -> None:
    site.write(
        "greeting.py",
        '''
        """Says hello."""
        from pyruse import hookimpl

        @hookimpl
        def on_start(context): print("hello")
        ''',
    )
    assert told(site) == []
    assert "extension\tgreeting\tSays hello.\tplugins/greeting.py" in site.run("plugins").out
    assert site.check(f'[plugins]\ndisable = ["greeting"]\n{EXISTS}').code == 0


def test_an_extension_has_options_and_is_broadcast_to(site: Site, journal_file) -> None:
    site.write(
        "notes.py",
        """
        from dataclasses import dataclass
        from pathlib import Path
        from pyruse import hookimpl

        @dataclass
        class Notes:
            file: Path

            @hookimpl
            def contribute_to_report(self, report): self.file.write_text("reported")
        """,
    )
    done = site.check(EXISTS)
    assert done.err == "pyruse.toml: plugins.notes.file: missing (expected a path)\n"
    note = site.folder / "note"
    assert site.check(f'[plugins.notes]\nfile = "{note}"\n{EXISTS}').code == 0
    site.run("replay", "--file", str(journal_file([{"MESSAGE": "hello"}])))
    assert note.read_text() == "reported"


def test_a_firewall_may_be_in_a_file(site: Site) -> None:
    site.write(
        "pf.py",
        """
        from dataclasses import dataclass
        from pyruse import Firewall, hookimpl

        class Table(Firewall):
            def apply(self, add, remove): pass

        @dataclass
        class Pf:
            table: str

            @hookimpl
            def open_firewall(self, name): return Table() if name == "pf" else None
        """,
    )
    assert told(site) == []  # it needs options, so it is not there until it is named
    ban = '[chains]\n"c" = [{ action = "ban", ip = "ip" }]\n'
    assert site.check(f'[bans]\nbackend = "pf"\n[bans.pf]\ntable = "x"\n{ban}').code == 0
    done = site.check(f'[bans]\nbackend = "pf"\n{ban}')
    assert done.err == "pyruse.toml: bans.pf.table: missing (expected text)\n"


def test_files_with_an_underscore_are_helpers(site: Site) -> None:
    site.write("_shared.py", "HOUR = 8\n")
    site.write("mine.py", FILTER.replace("NAME", "Mine") + "from ._shared import HOUR\n")
    site.write("later.py", FILTER.replace("NAME", "Later").replace(
        "return True", "from ._shared import HOUR; return HOUR == 8"
    ))  # fmt: skip
    assert told(site) == []
    assert site.check(ONE_STEP % "later").code == 0
    assert "[0] later: passes" in site.run("explain", "MESSAGE=x").out


def test_tests_and_other_files_are_no_plugins(site: Site) -> None:
    for name in ("test_mine.py", "conftest.py", "_helper.py", ".#mine.py", "rules.toml", "notes"):
        site.write(name, "raise RuntimeError\n")
    (site.plugins / "folder").mkdir()
    assert told(site) == []


def test_nothing_is_written_there(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.dont_write_bytecode", False)
    site.write("_shared.py", "HOUR = 8\n")
    site.write("mine.py", "from ._shared import HOUR\n" + OFFICE)
    assert site.check(ONE_STEP % "office_hours").code == 0
    assert sorted(os.listdir(site.plugins)) == ["_shared.py", "mine.py"]


def test_what_was_compiled_before_is_not_used(site: Site) -> None:
    file = site.write("mine.py", "raise RuntimeError\n")
    py_compile.compile(str(file), doraise=True)
    before = os.stat(file)
    file.write_text("x = 1".ljust(before.st_size - 1) + "\n")
    os.utime(file, ns=(before.st_atime_ns, before.st_mtime_ns))
    assert "there is no plugin in it" in told(site)[0]


# ---- What is broken: one line, with file and line

MEND = "(expected a working plugin: mend the file, or remove it)"

BROKEN: dict[str, tuple[str | bytes, str]] = {
    "syntax": (
        "class Geo(:\n    pass\n",
        f"plugins/broken.py:1: cannot be imported: SyntaxError: invalid syntax {MEND}",
    ),
    "import": (
        "import os\nimport nothing_of_this_name\n",
        "plugins/broken.py:2: cannot be imported: ModuleNotFoundError: No module named "
        f"'nothing_of_this_name' {MEND}",
    ),
    "raising": (
        "def f():\n    raise RuntimeError('no\\n\\x1b[31m')\nf()\n",
        f"plugins/broken.py:2: cannot be imported: RuntimeError: no \\x1b[31m {MEND}",
    ),
    "exiting": (
        "import sys\nsys.exit('no')\n",
        f"plugins/broken.py:2: cannot be imported: SystemExit: no {MEND}",
    ),
    "helper": (
        "from ._nowhere import x\n",
        "plugins/broken.py:1: cannot be imported: ModuleNotFoundError: No module named ",
    ),
    "bytes": (
        "x = 1\nname = '\xff'\n".encode("latin-1"),
        "plugins/broken.py:2: cannot be imported: SyntaxError: (unicode error) 'utf-8' codec ",
    ),
    "null": (b"x = 1\0\n", "plugins/broken.py:1: cannot be imported: "),
    "empty": (
        "",
        "plugins/broken.py: there is no plugin in it (expected a class with a @hookimpl; the name "
        "of a file of helpers begins with _)",
    ),
    "unmarked": (
        FILTER.replace("@hookimpl", ""),
        "plugins/broken.py:5: match_entry is not marked, so it would never be called (expected "
        "@hookimpl above it)",
    ),
    "misspelt": (
        FILTER.replace("match_entry", "match_entri"),
        "plugins/broken.py:5: match_entri is no hook (expected one that Pyruse calls; did you mean "
        '"match_entry"?)',
    ),
    "outside": (
        "from pyruse import hookimpl\n@hookimpl\ndef match_entry(entry): return True\n",
        "plugins/broken.py:3: match_entry stands outside of a class (expected a class with it: "
        "chains name the class)",
    ),
    "argument": (
        FILTER.replace("entry)", "entri)"),
        'plugins/broken.py:5: filter "name": its hooks are wrong: match_entry has an argument '
        'entri (expected entry, context; did you mean "entry"?)',
    ),
    "trait": (
        "from pyruse import Traits\nTraits(outside_effect=True)\n",
        "plugins/broken.py:2: cannot be imported: TypeError: Unexpected keyword argument "
        f"'outside_effect'; did you mean \"outside_effects\"? {MEND}",
    ),
    "option_of_traits": (
        "from pyruse import Traits\n"
        + OFFICE.replace("    closes: int = 18", "    traits: Traits = Traits()"),
        'plugins/broken.py:10: filter "office_hours": its traits are wrong: traits would be an '
        "option (expected traits: ClassVar[Traits] = …)",
    ),
    "type": (
        OFFICE.replace("int = 18", "complex = 0j"),
        'plugins/broken.py:9: filter "office_hours": its option closes is of a type that no text '
        f"can become: complex has no class method parse {MEND}",
    ),
    "taken": (
        OFFICE.replace("closes: int", "invert: int"),
        'plugins/broken.py:9: filter "office_hours": its option invert cannot be given: every step '
        f"has its own {MEND}",
    ),
    "undecorated": (
        OFFICE.replace("@dataclass", ""),
        'plugins/broken.py:6: filter "office_hours": its options cannot be read: TypeError: '
        f"OfficeHours has annotated attributes (closes), but is no @dataclass {MEND}",
    ),
    "name": (
        FILTER.replace("NAME:", "NAME:\n    name = 'at work'"),
        'plugins/broken.py:3: "at work" cannot be the name of a plugin (expected letters, digits '
        'and underscores, such as "name")',
    ),
    "built-in": (
        FILTER.replace("NAME", "Equals"),
        'filter "equals" is claimed by plugins/broken.py:3, though it is Pyruse\'s own (expected '
        "one claimant: give a class another `name`)",
    ),
}  # fmt: skip


@pytest.mark.parametrize("fault", BROKEN)
def test_what_is_broken_costs_one_line_and_nothing_else(site: Site, fault: str) -> None:
    source, line = BROKEN[fault]
    site.write("good.py", OFFICE.replace("OfficeHours", "Good"))
    site.write("broken.py", source)
    [said] = site.faults(ONE_STEP % "good")
    assert said == line if line.endswith(")") else said.startswith(line)
    assert site.run("plugins").err == f"pyruse: {said}\n"


def test_a_chain_that_uses_what_is_broken_is_refused_and_told_why(site: Site) -> None:
    site.write("broken.py", BROKEN["syntax"][0])
    done = site.check(ONE_STEP % "geo")
    assert (done.code, done.err.splitlines()) == (
        2,
        [
            BROKEN["syntax"][1],
            'pyruse.toml: chains."c"[0].filter: there is no filter "geo" (expected one that is '
            "installed: see `pyruse plugins`)",
        ],
    )
    site.write("broken.py", BROKEN["type"][0])
    done = site.check(ONE_STEP % "office_hours")
    assert (done.code, done.err) == (
        2, f'pyruse.toml: chains."c"[0].filter: {BROKEN["type"][1]}\n'
    )  # fmt: skip


@pytest.mark.parametrize("fault", ["syntax", "import", "unmarked", "misspelt", "mode", "folder"])
def test_why_a_plugin_is_missing_is_told_before_that_it_is(site: Site, fault: str) -> None:
    file = site.write("broken.py", BROKEN[fault][0] if fault in BROKEN else FILTER)
    if fault == "mode":
        file.chmod(0o666)
    elif fault == "folder":
        site.plugins.chmod(0o777)
    cause, consequence = site.check(ONE_STEP % "name").err.splitlines()
    assert "plugins" in cause.partition(": ")[0]
    assert consequence.startswith('pyruse.toml: chains."c"[0].filter: there is no filter "name" (')


def test_a_name_of_two_files_is_nobodys(site: Site) -> None:
    site.write("one.py", OFFICE)
    site.write("two.py", OFFICE)
    fault = (
        'filter "office_hours" is claimed by plugins/one.py:6 and plugins/two.py:6 (expected one '
        "claimant: give a class another `name`)"
    )
    assert told(site) == [fault]
    done = site.check(ONE_STEP % "office_hours")
    assert done.err == f'pyruse.toml: chains."c"[0].filter: {fault}\n'


def test_a_file_that_no_module_can_be_named_after(site: Site) -> None:
    site.write("my-plugin.py", OFFICE)
    site.write("2.0.py", OFFICE)
    assert told(site) == [
        "plugins/2.0.py: no module can have this name (expected letters, digits and underscores, "
        "before .py)"
    ]


# ---- Whose they are

as_root = pytest.mark.skipif(os.geteuid() != 0, reason="only root can give files away")


def by_chmod(path: Path) -> str:
    path.chmod(path.stat().st_mode | 0o002)
    return f"chmod go-w {path}"


def by_group(path: Path) -> str:
    path.chmod(path.stat().st_mode | 0o020)
    return f"chmod go-w {path}"


def by_chown(path: Path) -> str:
    os.chown(path, 65534, 65534, follow_symlinks=False)
    return f"chown root {path}"


@pytest.mark.parametrize("change", [by_chmod, by_group, pytest.param(by_chown, marks=as_root)])
@pytest.mark.parametrize("what", ["plugins/mine.py", "plugins", "."])
def test_what_others_could_change_is_not_loaded(
    site: Site, change: Callable[[Path], str], what: str
) -> None:
    site.write("mine.py", "raise RuntimeError('it was loaded')\n")
    todo = change((site.folder / what).resolve())
    [line] = told(site)
    assert "so no plugin is loaded from there (expected " in line
    assert todo in line


@as_root
def test_the_owner_of_the_configuration_may_have_plugins(site: Site) -> None:
    file = site.write("mine.py", OFFICE)
    for path in (file, site.plugins):
        os.chown(path, 65534, 65534)
    assert len(told(site)) == 1
    os.chown(site.folder / "pyruse.toml", 65534, 65534)
    assert told(site) == []


@as_root
def test_the_way_through_links_is_looked_at(site: Site, tmp_path: Path) -> None:
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    (elsewhere / "real.py").write_text(OFFICE)
    site.write("other.py", FILTER.replace("NAME", "Other"))
    (site.plugins / "mine.py").symlink_to("../elsewhere/real.py")
    assert site.faults(ONE_STEP % "office_hours") == []
    elsewhere.chmod(0o777)
    assert told(site) == [
        f"{elsewhere}: others than its owner may write there, so no plugin is loaded from there "
        f"(expected that they may not: chmod go-w {elsewhere})"
    ]
    elsewhere.chmod(0o755)
    by_chown(site.plugins / "mine.py")
    assert told(site)[0].startswith(f"{site.plugins}/mine.py: belongs to nobody, so no plugin is ")


def test_where_only_owners_can_replace_it_others_may_write(site: Site) -> None:
    sticky = site.folder / "tmp"
    sticky.mkdir()
    sticky.chmod(0o1777)
    inside = Site(sticky / "mine", site._pyruse)
    inside.folder.mkdir()
    inside.write("mine.py", OFFICE)
    (inside.folder / "pyruse.toml").write_text(ONE_STEP % "office_hours")
    assert site._pyruse("check", "-c", "tmp/mine/pyruse.toml").code == 0
    inside.plugins.chmod(0o1777)
    assert site._pyruse("check", "-c", "tmp/mine/pyruse.toml").code == 2


def test_a_helper_is_looked_at_as_well(site: Site) -> None:
    by_chmod(site.write("_shared.py", "HOUR = 8\n"))
    site.write("mine.py", "from ._shared import HOUR\n" + OFFICE)
    [line] = told(site)
    assert "_shared.py: others than its owner may write there" in line


def test_a_link_to_nothing_is_told_as_such(site: Site) -> None:
    site.write("good.py", OFFICE)
    (site.plugins / "link.py").symlink_to("removed.py")
    assert told(site) == ["plugins/link.py: leads nowhere (expected a file; remove the link)"]


def test_what_is_no_plain_file_is_not_opened(site: Site) -> None:
    site.write("good.py", OFFICE)
    os.mkfifo(site.plugins / "pipe.py", 0o644)  # nobody writes to it: reading would not end
    assert told(site) == ["plugins/pipe.py: is no plain file (expected a Python file)"]


def test_whatever_an_import_raises_costs_one_line(site: Site) -> None:
    site.write("good.py", OFFICE)
    site.write("mine.py", "import asyncio\nraise asyncio.CancelledError\n")
    [line] = told(site)
    assert line.startswith("plugins/mine.py:2: cannot be imported: CancelledError")


def test_a_helper_that_is_no_plain_file_is_not_opened(site: Site) -> None:
    site.write("mine.py", "from . import _pipe\n")
    os.mkfifo(site.plugins / "_pipe.py", 0o644)
    (line,) = told(site)
    assert "plugins/_pipe.py: is no plain file (expected a Python file)" in line


HOSTILE = """
from pyruse import hookimpl

class Rude(BaseException):
    def __str__(self):
        raise SystemExit(3)

class Meta(type):
    def {method}(cls, *names):
        raise Rude

class Mine(metaclass=Meta):
    @hookimpl
    def match_entry(self, entry): return True
"""


@pytest.mark.parametrize("method", ["__getattribute__", "__dir__", "__hash__", "__eq__"])
def test_a_class_whose_metaclass_raises_costs_one_line_at_most(site: Site, method: str) -> None:
    site.write("good.py", OFFICE)
    site.write("mine.py", HOSTILE.format(method=method))
    lines = site.faults(ONE_STEP % "office_hours")
    assert len(lines) <= 1
    said = "Rude (its text cannot be told)", f"its metaclass has {method} of its own"
    assert all(line.startswith("plugins/mine.py:12: ") for line in lines)
    assert all(any(words in line for words in said) for line in lines)


def test_an_import_that_raises_what_has_no_text_costs_one_line(site: Site) -> None:
    site.write("mine.py", HOSTILE.partition("class Meta")[0] + "raise Rude\n")
    (line,) = told(site)
    assert "cannot be imported: Rude (its text cannot be told)" in line


@pytest.mark.parametrize("value", ["[]", "None", "0", "'yes'"])
def test_a_trait_is_true_or_false(site: Site, value: str) -> None:
    text = f"from pyruse import Traits\n{FILTER}    traits = Traits(outside_effects={value})\n"
    site.write("mine.py", text.replace("NAME", "Mine"))
    (line,) = told(site)
    assert "its traits are wrong: outside_effects = " in line
    assert "(expected True or False)" in line


def test_a_trait_of_an_object_would_act_in_a_dry_run_and_is_refused(site: Site) -> None:
    site.write(
        "mine.py",
        """
        from dataclasses import dataclass
        from pyruse import Traits, hookimpl

        @dataclass
        class Mine:
            def __post_init__(self):
                self.traits = Traits(outside_effects=True)

            @hookimpl
            def match_entry(self, entry):
                return True
        """,
    )
    done = site.check(ONE_STEP % "mine")
    assert done.code == 2
    assert "traits are set on the object, where nobody sees them" in done.err


def test_a_link_to_itself_costs_one_line(site: Site) -> None:
    site.write("mine.py", OFFICE)
    (site.plugins / "loop.py").symlink_to("loop.py")
    [line] = site.faults(ONE_STEP % "office_hours")
    assert line.startswith("plugins/loop.py")


# ---- Read again


def test_a_reload_reads_a_changed_file_and_the_old_code_goes_on_if_it_is_broken(
    daemon, journald
) -> None:
    source = FILTER.replace("NAME", "Mine").replace("return", "entry['WHO'] = 'old'; return")
    chains = """
        [chains]
        "c" = [
          { filter = "equals", field = "SYSLOG_IDENTIFIER", value = "test" },
          { filter = "mine" },
          { action = "log", message = "{MESSAGE}: {WHO}" },
        ]
        """
    pyruse = daemon(chains, journald)
    folder = pyruse.folder / "plugins"
    folder.mkdir()
    file = folder / "mine.py"
    file.write_text(source)
    pyruse.start()
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="one")
    pyruse.wait_for_line("one: old")
    file.write_text("class Mine(:\n")
    pyruse.process.send_signal(signal.SIGHUP)
    pyruse.wait_for_line(f"{file}:1: cannot be imported: SyntaxError: invalid syntax")
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="two")
    pyruse.wait_for_line("two: old")
    file.write_text(source.replace("'old'", "'new'"))
    pyruse.reload()
    journald.send(SYSLOG_IDENTIFIER="test", MESSAGE="three")
    pyruse.wait_for_line("three: new")


# ---- In tests of their own


class Loud:
    """Pass when the message is loud."""

    @hookimpl
    def match_entry(self, entry: Entry) -> bool:
        return entry.text("MESSAGE") == (entry.text("MESSAGE") or "").upper()


LOUD = '[chains]\n"c" = [{ filter = "loud" }, { action = "set", field = "LOUD", value = "yes" }]\n'


def test_a_pipeline_takes_a_class(pipeline) -> None:
    assert "LOUD" in pipeline(LOUD, plugins=Loud).feed(MESSAGE="HELLO")
    assert "LOUD" not in pipeline(LOUD, plugins=[Loud]).feed(MESSAGE="hello")


def test_a_pipeline_takes_a_file_or_a_folder(site: Site, pipeline) -> None:
    file = site.write("loud.py", FILTER.replace("NAME", "Loud"))
    by_chmod(file)  # whoever runs a test has chosen what to run
    for plugins in (file, str(file), site.plugins, [file]):
        assert "LOUD" in pipeline(LOUD, plugins=plugins).feed(MESSAGE="hello")


def test_a_pipeline_tells_what_is_wrong_with_them(site: Site, pipeline) -> None:
    file = site.write("loud.py", "import nothing_of_this_name\n")
    with pytest.raises(ConfigError, match=r"loud\.py:1: cannot be imported: ModuleNotFoundError"):
        pipeline(LOUD, plugins=file)
    with pytest.raises(ConfigError, match="cannot be read: No such file or directory"):
        pipeline(LOUD, plugins=site.folder / "nowhere")
    with pytest.raises(ConfigError, match="Site is no plugin"):
        pipeline(LOUD, plugins=Site)
