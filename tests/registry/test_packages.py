"""Packages of third parties, as they are installed: good ones, and every kind of broken one.

A folder on PYTHONPATH with a module and a ``NAME-1.0.dist-info`` is an installed distribution, so
the commands are run as they are.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import textwrap
from collections.abc import Iterable
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path

import pytest
from packaging.specifiers import SpecifierSet

from pyruse.registry.found import PluginError
from pyruse.registry.registry import Registry
from pyruse.testing.waiting import TIME_LIMIT

FILTER, ACTION, PROGRAM = "pyruse.filters", "pyruse.actions", "pyruse"

GOOD = """
from dataclasses import dataclass
from pyruse import hookimpl

@dataclass
class Geo:
    '''Pass when an address is in a country.'''

    country: str
    '''Its code.'''

    @hookimpl
    def match_entry(self, entry):
        return entry.get("country") == self.country
"""


@dataclass
class Site:
    """A folder with installed distributions."""

    folder: Path

    def install(
        self, name: str, source: str, points: dict[str, dict[str, str]], version: str = "1.0",
        requires: Iterable[str] = (),
    ) -> str:  # fmt: skip
        """Install a distribution of one module, which has the name with underscores."""
        module = name.replace("-", "_")
        (self.folder / f"{module}.py").write_text(textwrap.dedent(source))
        info = self.folder / f"{module}-{version}.dist-info"
        info.mkdir()
        metadata = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}"]
        metadata += [f"Requires-Dist: {one}" for one in requires]
        (info / "METADATA").write_text("\n".join(metadata) + "\n")
        (info / "entry_points.txt").write_text(
            "\n".join(
                f"[{group}]\n" + "\n".join(f"{point} = {value}" for point, value in values.items())
                for group, values in points.items()
            )
        )
        return name

    def filter(self, name: str, source: str, *requires: str) -> None:
        """A distribution pyruse-NAME with a filter NAME, the class Geo."""
        points = {FILTER: {name: f"pyruse_{name}:Geo"}}
        self.install(f"pyruse-{name}", source, points, requires=requires)

    def pyruse(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        path = os.pathsep.join(filter(None, [str(self.folder), os.environ.get("PYTHONPATH")]))
        return subprocess.run(
            [sys.executable, "-m", "pyruse", *arguments],
            env={**os.environ, "PYTHONPATH": path}, cwd=self.folder,
            capture_output=True, text=True, check=False, timeout=TIME_LIMIT,
        )  # fmt: skip

    def check(self, steps: Iterable[str], before: str = "") -> subprocess.CompletedProcess[str]:
        text = f'{before}\n[chains]\n"c" = [\n' + "".join(f"  {step},\n" for step in steps) + "]\n"
        (self.folder / "p.toml").write_text(text)
        return self.pyruse("check", "-c", "p.toml")


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


def ours(text: str) -> list[str]:
    """The lines about the packages of these tests: what else is installed is not asked here."""
    return [line for line in text.splitlines() if "pyruse-" in line or "Traceback" in line]


DISCARD = '{ action = "discard" }'
PLAIN = GOOD.replace('country: str\n    """Its code."""', "")
HOOKS_WRONG = "its hooks are wrong: "
TRAITS_WRONG = "its traits are wrong: "

BROKEN = {
    "importing": (
        "import geoip2_that_is_not_there\n",
        "cannot be imported: ModuleNotFoundError: No module named 'geoip2_that_is_not_there'",
    ),
    "syntax": (
        "class Geo(:\n",
        "cannot be imported: SyntaxError: invalid syntax (pyruse_syntax.py, line 1)",
    ),
    "exiting": (
        "import sys\nsys.exit('I need a newer kernel')\n",
        "cannot be imported: SystemExit: I need a newer kernel",
    ),
    "raising": (
        "raise RuntimeError('first line\\nsecond \\x1b[31m line')\n",
        "cannot be imported: RuntimeError: first line second \\x1b[31m line",
    ),
    "nothing": (
        "class Other: pass\n",
        "cannot be imported: AttributeError: module 'pyruse_nothing' has no attribute 'Geo'",
    ),
    "number": ("Geo = 5\n", "pyruse_number:Geo is no class"),
    "function": ("def Geo(entry): return True\n", "pyruse_function:Geo is no class"),
    "unmarked": (
        GOOD.replace("@hookimpl", ""),
        "Geo has no @hookimpl match_entry",
    ),
    "otherwise": (
        GOOD.replace("match_entry(self, entry)", "act_on_entry(self, entry)"),
        "Geo has no @hookimpl match_entry",
    ),
    "misspelled": (
        GOOD + "\n    @hookimpl\n    def on_strat(self, context): pass\n",
        HOOKS_WRONG + "unknown hook 'on_strat'; did you mean \"on_start\"?",
    ),
    "alike": (
        GOOD + "\n    @hookimpl\n    def on_strat(self, context): pass\n",
        HOOKS_WRONG + "unknown hook 'on_strat'; did you mean \"on_start\"?",
    ),
    "renamed": (
        GOOD.replace("@hookimpl", '@hookimpl(specname="match_entry")').replace(
            "def match_", "def "
        ),
        HOOKS_WRONG + "match_entry is a function of another name",
    ),
    "argument": (
        GOOD.replace("(self, entry)", "(self, entri)"),
        HOOKS_WRONG
        + 'match_entry has an argument entri (expected entry, context; did you mean "entry"?)',
    ),
    "misspelled_trait": (
        "from pyruse import Traits\n" + GOOD + "\n    traits = Traits(outside_effect=True)\n",
        "cannot be imported: TypeError: Unexpected keyword argument 'outside_effect'; did you mean "
        '"outside_effects"?',
    ),
    "option_of_traits": (
        "from pyruse import Traits\n"
        + GOOD.replace("country: str", "traits: Traits = Traits()\n    country: str = ''"),
        TRAITS_WRONG + "traits would be an option (expected traits: ClassVar[Traits] = …)",
    ),
    "wrapper": (
        GOOD.replace("@hookimpl", "@hookimpl(wrapper=True)").replace("return ", "yield "),
        HOOKS_WRONG + "wrappers are not called by Pyruse",
    ),
    "asynchronous": (
        GOOD.replace("def match_entry", "async def match_entry"),
        HOOKS_WRONG + "match_entry is async, or has a yield",
    ),
    "yielding": (
        GOOD.replace("return ", "yield "),
        HOOKS_WRONG + "match_entry is async, or has a yield",
    ),
    "unmarked_too": (
        GOOD + "\n    def on_start(self): pass\n",
        HOOKS_WRONG + "on_start is not marked with @hookimpl",
    ),
    "final_filter": (
        "from pyruse import Traits\n" + GOOD + "\n    traits = Traits(final=True)\n",
        TRAITS_WRONG + "final is for actions",
    ),
    "undecorated": (
        GOOD.replace("@dataclass", ""),
        "its options cannot be read: TypeError: Geo has annotated attributes (country), but is no "
        "@dataclass",
    ),
    "unreadable": (
        "from __future__ import annotations\n" + GOOD.replace("country: str", "country: Country"),
        "its options cannot be read: NameError: name 'Country' is not defined",
    ),
    "typed": (
        GOOD.replace("country: str", "country: list[complex]"),
        "its option country is of a type that no text can become: complex has no class method "
        "parse",
    ),
    "taken": (
        GOOD.replace("country: str", "invert: str"),
        "its option invert cannot be given: every step has its own",
    ),
}
"""What is wrong with a filter's class or module, and how it is told."""

FAILING = {
    "constructor": GOOD + "\n    def __post_init__(self):\n        {}['database']\n",
}
"""Those that import well and have good hooks, but fail when a step is made."""


@pytest.fixture(scope="module")
def broken(tmp_path_factory: pytest.TempPathFactory) -> Site:
    """A machine where everything is broken but pyruse-good and what Pyruse brings itself."""
    site = Site(tmp_path_factory.mktemp("site"))
    site.filter("good", GOOD)
    for name, (source, _) in BROKEN.items():
        site.filter(name, source)
    for name, source in FAILING.items():
        site.filter(name, source)
    return site


@pytest.fixture(scope="module")
def listed(broken: Site) -> subprocess.CompletedProcess[str]:
    return broken.pyruse("plugins")


def described(name: str, fault: str) -> str:
    mend = f"upgrade or remove pyruse-{name}"
    if "(expected " in fault:  # what is expected is told once
        return f'filter "{name}" of pyruse-{name} 1.0: {fault}: {mend}'
    return f'filter "{name}" of pyruse-{name} 1.0: {fault} (expected a working plugin: {mend})'


@pytest.mark.parametrize("name", BROKEN)
def test_a_broken_package_costs_one_line_that_names_it(
    name: str, listed: subprocess.CompletedProcess[str]
) -> None:
    lines = [line for line in listed.stderr.splitlines() if f"pyruse-{name} " in line]
    assert lines == [f"pyruse: {described(name, BROKEN[name][1])}"]


def test_the_plugins_that_work_are_listed_all_the_same(
    listed: subprocess.CompletedProcess[str],
) -> None:
    assert listed.returncode == 0
    assert len(ours(listed.stderr)) == len(BROKEN)
    rows = [line.split("\t") for line in listed.stdout.splitlines()]
    assert ["filter", "good", "Pass when an address is in a country.", "pyruse-good 1.0"] in rows
    assert {row[1] for row in rows} >= {"good", "equals", "regex", "discard", "ban", "nftables"}
    assert not {row[1] for row in rows} & set(BROKEN)


def test_a_configuration_that_does_not_use_them_is_none_the_wiser(broken: Site) -> None:
    done = broken.check(['{ filter = "good", country = "FR" }', DISCARD])
    assert (done.returncode, ours(done.stderr)) == (0, [])
    assert done.stdout == "p.toml: 1 chain with 2 steps: no faults\n"


def test_a_configuration_that_uses_them_is_refused_and_each_is_named(broken: Site) -> None:
    names = [*BROKEN, *FAILING]
    done = broken.check([f'{{ filter = "{name}", country = "FR" }}' for name in names])
    assert (done.returncode, done.stdout) == (2, "")
    constructor = described("constructor", "cannot be made: KeyError: 'database'")
    assert done.stderr.splitlines() == [
        *(
            f'p.toml: chains."c"[{index}].filter: {described(name, fault)}'
            for index, (name, (_, fault)) in enumerate(BROKEN.items())
        ),
        f'p.toml: chains."c"[{len(BROKEN)}]: {constructor}',
    ]


@pytest.mark.parametrize("arguments", [["schema"], ["plugins", "--format", "json"]])
def test_what_tells_of_plugins_tells_of_those_that_work(arguments: list[str], broken: Site) -> None:
    done = broken.pyruse(*arguments)
    assert done.returncode == 0
    assert json.loads(done.stdout)
    assert '"good"' in done.stdout
    assert "Traceback" not in done.stderr


def test_a_broken_whole_program_plugin_is_done_without(site: Site) -> None:
    site.install("pyruse-metrics", "raise OSError('no')", {PROGRAM: {"metrics": "pyruse_metrics"}})
    site.install("pyruse-empty", "", {PROGRAM: {"empty": "pyruse_empty"}})
    site.install(
        "pyruse-failing",
        """
        from pyruse import hookimpl
        class Failing:
            def __init__(self):
                raise OSError("no disk")
            @hookimpl
            def on_start(self): pass
        """,
        {PROGRAM: {"failing": "pyruse_failing:Failing"}},
    )
    lines = [
        'extension "empty" of pyruse-empty 1.0: pyruse_empty implements no hook (expected a '
        "working plugin: upgrade or remove pyruse-empty)",
        'extension "failing" of pyruse-failing 1.0: cannot be made: OSError: no disk (expected a '
        "working plugin: upgrade or remove pyruse-failing)",
        'extension "metrics" of pyruse-metrics 1.0: cannot be imported: OSError: no (expected a '
        "working plugin: upgrade or remove pyruse-metrics)",
    ]
    done = site.check([DISCARD])
    assert (done.returncode, ours(done.stderr)) == (0, [f"pyruse: {line}" for line in lines])
    # Whoever does not want the line switches the plugin off.
    done = site.check([DISCARD], '[plugins]\ndisable = ["empty", "failing", "metrics"]')
    assert (done.returncode, ours(done.stderr)) == (0, [])
    # Whoever has set it up wants it to work.
    tables = "".join(f"[plugins.{name}]\n" for name in ("empty", "failing", "metrics"))
    done = site.check([DISCARD], tables)
    names = ("empty", "failing", "metrics")
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        f"p.toml: plugins.{name}: {line}" for name, line in zip(names, lines, strict=True)
    ]


@pytest.mark.parametrize("attribute", ["outside_effect", "outside_effects", "side_effects"])
def test_a_step_whose_trait_pyruse_would_not_see_never_acts_in_a_dry_run(
    attribute: str, site: Site
) -> None:
    site.install(
        "pyruse-siren",
        f"""
        from pathlib import Path
        from pyruse import hookimpl
        class Siren:
            {attribute} = True
            @hookimpl
            def act_on_entry(self, entry):
                Path("acted").touch()
        """,
        {ACTION: {"siren": "pyruse_siren:Siren"}},
    )
    done = site.check(['{ action = "siren" }'])
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr == (
        'p.toml: chains."c"[0].action: action "siren" of pyruse-siren 1.0: its traits are wrong: '
        f'{attribute} is no trait; did you mean "traits = Traits(outside_effects=True)"? (expected '
        "a working plugin: upgrade or remove pyruse-siren)\n"
    )
    dry = site.pyruse("explain", "-c", "p.toml", "MESSAGE=fire")
    assert (dry.returncode, dry.stderr) == (2, done.stderr)
    assert not (site.folder / "acted").exists()


def test_a_firewall_whose_package_is_broken_is_named_where_it_is_wanted(site: Site) -> None:
    site.install("pyruse-pf", "import pf_that_is_not_there", {PROGRAM: {"pf": "pyruse_pf:Pf"}})
    done = site.check([DISCARD], '[bans]\nbackend = "pf"')
    assert done.returncode == 2
    assert done.stderr.startswith(
        'p.toml: bans.backend: extension "pf" of pyruse-pf 1.0: cannot be '
    )


def test_a_firewall_that_fails_is_no_traceback(site: Site) -> None:
    site.install(
        "pyruse-pf",
        """
        from pyruse import hookimpl
        class Pf:
            @hookimpl
            def open_firewall(self, name):
                if name == "pf":
                    raise ValueError("no device is given (expected device)")
                raise KeyError(name)
        """,
        {PROGRAM: {"pf": "pyruse_pf:Pf"}},
    )
    done = site.check([DISCARD], '[bans]\nbackend = "pf"')
    assert done.returncode == 2
    assert done.stderr == "p.toml: bans.backend: no device is given (expected device)\n"
    # What it says to the name of another one does no harm to that one.
    done = site.check(
        ['{ filter = "regex", pattern = "(?P<ip>.)" }', '{ action = "ban", ip = "ip" }']
    )
    assert (done.returncode, ours(done.stderr)) == (0, [])


BROKEN_IMPORT = "from pyruse import interface_of_the_future"


@pytest.mark.parametrize(
    ("requires", "todo"),
    [
        (">=99", "upgrade Pyruse, or install an older pyruse-geo"),
        (">=2,<3,!=2.0.*", "upgrade or remove pyruse-geo"),
        ("~=99.1", "upgrade Pyruse, or install an older pyruse-geo"),
        ("==99.*", "upgrade Pyruse, or install an older pyruse-geo"),
        ("<2", "upgrade or remove pyruse-geo"),
        (">=1,<2", "upgrade or remove pyruse-geo"),
        ("==1.5", "upgrade or remove pyruse-geo"),
    ],
)
def test_a_plugin_for_another_interface_is_told_of_before_its_import_fails(
    requires: str, todo: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    Site(tmp_path).filter("geo", BROKEN_IMPORT, f"PyRuse [testing] ({requires})")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("pyruse.registry.packages.VERSION", "2.0.3")
    with pytest.raises(PluginError) as caught:
        Registry().find(FILTER, "geo").load()
    wanted = ",".join(sorted(requires.split(",")))
    told = str(caught.value).replace(str(SpecifierSet(requires)), wanted)
    assert told == (
        f'filter "geo" of pyruse-geo 1.0: is made for pyruse{wanted}, and this is 2.0.3 (expected '
        f"two that fit: {todo})"
    )


@pytest.mark.parametrize(
    ("version", "requires"),
    [
        ("2.0.0a1", []),
        ("2.0.0a1", ["pyruse"]),
        ("2.0.0a1", ["pyruse>=2,<3"]),
        ("2.0.0a1", ["pyruse==2.0.0a1"]),
        ("2.0.0a1", ["pyruse-99>=99", "pyruse.x>=99", "other>=99"]),
        ("2.7.1", ["pyruse>=2.1; python_version>='3.11'", "pyruse[testing]>=99; extra == 'test'"]),
        ("2.7.1", ["pyruse >= ninety-9"]),
    ],
)
def test_a_plugin_for_this_interface_is_loaded(
    version: str, requires: list[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    name = f"kind{abs(hash((version, *requires)))}"  # modules stay imported
    Site(tmp_path).filter(name, GOOD, *requires)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr("pyruse.registry.packages.VERSION", version)
    assert Registry().find(FILTER, name).load().__name__ == "Geo"


def test_the_daemon_starts_without_what_no_chain_uses(site: Site, journal_file) -> None:
    site.filter("misspelled", BROKEN["misspelled"][0])
    site.filter("importing", BROKEN["importing"][0])
    site.install(
        "pyruse-future", BROKEN_IMPORT, {PROGRAM: {"future": "pyruse_future"}},
        requires=["pyruse>=99"],
    )  # fmt: skip
    journal = journal_file([{"MESSAGE": "hello", "PRIORITY": 3}])
    (site.folder / "p.toml").write_text(
        f"""
        [journal]
        files = ["{journal}"]
        start = "head"
        [state]
        url = "sqlite://{site.folder}/state.sqlite"
        [report]
        archive = "{site.folder}"
        [chains]
        "all" = [{{ action = "report", section = "other", message = "{{MESSAGE}}" }}]
        """
    )
    done = site.pyruse("run", "--once", "-c", "p.toml")
    assert done.returncode == 0, done.stderr
    assert [line for line in done.stderr.splitlines() if "pyruse-" in line or "Trace" in line] == [
        f'pyruse: extension "future" of pyruse-future 1.0: is made for pyruse>=99, and this is '
        f"{version('pyruse')} (expected two that fit: upgrade Pyruse, or install an older "
        "pyruse-future)"
    ]


def test_a_name_that_two_packages_claim_is_nobodys(site: Site) -> None:
    site.install("pyruse-one", GOOD, {FILTER: {"geo": "pyruse_one:Geo"}})
    site.install("pyruse-two", GOOD, {FILTER: {"geo": "pyruse_two:Geo"}}, "2.5")
    fault = (
        'filter "geo" is claimed by pyruse-one 1.0 and pyruse-two 2.5 (expected one claimant: '
        "remove a distribution)"
    )
    listed = site.pyruse("plugins")
    assert (listed.returncode, ours(listed.stderr)) == (0, [f"pyruse: {fault}"])
    assert "\tgeo\t" not in listed.stdout
    done = site.check([DISCARD])
    assert (done.returncode, ours(done.stderr)) == (0, [f"pyruse: {fault}"])
    done = site.check(['{ filter = "geo", country = "FR" }'])
    assert (done.returncode, done.stderr) == (2, f'p.toml: chains."c"[0].filter: {fault}\n')


def test_a_name_of_pyruses_own_stays_pyruses(site: Site) -> None:
    site.install("pyruse-better", GOOD, {FILTER: {"equals": "pyruse_better:Geo"}})
    done = site.check(['{ filter = "equals", field = "MESSAGE", value = "x" }'])
    assert done.returncode == 0
    assert ours(done.stderr) == [
        'pyruse: filter "equals" is claimed by pyruse-better 1.0, though it is Pyruse\'s own '
        "(expected one claimant: remove a distribution)"
    ]


def test_the_same_name_for_a_filter_and_an_action_is_fine(site: Site) -> None:
    source = GOOD + "\n    @hookimpl\n    def act_on_entry(self, entry): entry['x'] = 1\n"
    site.install(
        "pyruse-geo", source, {FILTER: {"geo": "pyruse_geo:Geo"}, ACTION: {"geo": "pyruse_geo:Geo"}}
    )
    done = site.check(['{ filter = "geo", country = "FR" }', '{ action = "geo", country = "DE" }'])
    assert (done.returncode, ours(done.stderr)) == (0, [])


@pytest.mark.parametrize(
    ("file", "content", "fault"),
    [
        ("entry_points.txt", b"[pyruse.filters]\ngeo\n", None),
        ("entry_points.txt", b"[pyruse.filters]\ngeo = \xff\xfe\n", None),
        ("entry_points.txt", b"[pyruse.filters]\ngeo = pyruse geo\n",
         'filter "geo" of pyruse-geo 1.0: its entry point is no MODULE:CLASS: pyruse geo (expected '
         "a working plugin: upgrade or remove pyruse-geo)"),
        ("entry_points.txt", b"geo = pyruse_geo:Geo\n", ""),
    ],
)  # fmt: skip
def test_a_distribution_with_broken_files(
    file: str, content: bytes, fault: str | None, site: Site
) -> None:
    site.install("pyruse-geo", GOOD, {})
    site.install("pyruse-other", GOOD, {FILTER: {"other": "pyruse_other:Geo"}})
    (site.folder / "pyruse_geo-1.0.dist-info" / file).write_bytes(content)
    done = site.pyruse("plugins")
    assert done.returncode == 0
    assert "\tother\t" in done.stdout
    assert "\tregex\t" in done.stdout
    if fault is None:  # Python's own words differ from version to version
        (line,) = ours(done.stderr)
        assert line.startswith("pyruse: distribution pyruse-geo 1.0: its entry points cannot be ")
        assert line.endswith("(expected a working package: upgrade or remove pyruse-geo)")
    else:
        assert ours(done.stderr) == ([f"pyruse: {fault}"] if fault else [])


def test_a_distribution_without_metadata(site: Site) -> None:
    site.filter("geo", GOOD)
    (site.folder / "pyruse_geo-1.0.dist-info" / "METADATA").unlink()
    done = site.pyruse("plugins")
    assert done.returncode == 0
    assert "Traceback" not in done.stderr
    assert "\tregex\t" in done.stdout
    done = site.check(['{ filter = "geo", country = "FR" }'])
    assert done.returncode == 0


def test_a_filter_with_an_option_type_of_its_own_works_from_toml(site: Site) -> None:
    site.filter(
        "clock",
        """
        from __future__ import annotations
        from dataclasses import dataclass
        from typing import Any, ClassVar
        from pyruse import Context, Entry, Field, hookimpl

        class Hours(tuple[int, int]):
            IN_WORDS: ClassVar[str] = 'hours such as "8-17"'
            SCHEMA: ClassVar[dict[str, Any]] = {"type": "string", "pattern": "^[0-9]+-[0-9]+$"}

            @classmethod
            def parse(cls, value: Any) -> Hours:
                try:
                    first, last = map(int, value.split("-"))
                except (AttributeError, ValueError):
                    raise ValueError(f'{value} are no hours (expected {cls.IN_WORDS})') from None
                return cls((first, last))

        @dataclass
        class Geo:
            '''Pass at certain hours.'''

            hours: Hours
            '''When.'''
            into: Field = Field("hour")

            @hookimpl
            def match_entry(self, context: Context, entry: Entry, slack=0) -> bool:
                entry[self.into] = entry.time.hour
                return self.hours[0] <= entry.time.hour + slack < self.hours[1]

            @hookimpl
            def check_options(self, context):
                if self.hours[0] == 13:
                    raise ValueError("13 is unlucky (expected another hour)")
        """,
    )
    done = site.check(['{ filter = "clock" }', '{ filter = "clock", hours = 5 }'])
    assert done.returncode == 2
    assert done.stderr.splitlines() == [
        'p.toml: chains."c"[0].hours: missing (expected hours such as "8-17")',
        'p.toml: chains."c"[1].hours: 5 are no hours (expected hours such as "8-17")',
    ]
    done = site.check(['{ filter = "clock", hours = "13-14" }'])
    assert (done.returncode, ours(done.stderr)) == (2, [])
    assert 'p.toml: chains."c"[0]: 13 is unlucky (expected another hour)' in done.stderr
    done = site.check(
        ['{ filter = "clock", hours = "0-24" }', '{ filter = "clock", hours = "24-25" }', DISCARD]
    )
    assert done.returncode == 0
    explained = site.pyruse("explain", "-c", "p.toml", "MESSAGE=x")
    assert explained.returncode == 0
    assert "[0] clock: passes" in explained.stdout
    assert "hour = " in explained.stdout
    assert "[1] clock: does not pass" in explained.stdout
    told = site.pyruse("plugins", "clock")
    assert "hours: hours; required" in told.stdout
    assert "When." in told.stdout


def test_a_module_may_be_a_whole_program_plugin(site: Site) -> None:
    site.install(
        "pyruse-metrics",
        """
        '''Counts reports.'''
        from pyruse import hookimpl

        @hookimpl
        def contribute_to_report(report):
            report.add_table("Metrics", ["a"], [["b"]])
        """,
        {PROGRAM: {"metrics": "pyruse_metrics"}},
    )
    assert "extension\tmetrics\tCounts reports.\t" in site.pyruse("plugins").stdout
    assert site.check([DISCARD]).returncode == 0
    done = site.check([DISCARD], "[plugins.metrics]\nlimit = 5\n")
    assert (done.returncode, done.stderr) == (
        2, "p.toml: plugins.metrics.limit: unknown option (expected none)\n",
    )  # fmt: skip


def test_a_plugin_that_nobody_knows(site: Site) -> None:
    done = site.pyruse("plugins", "regx")
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.endswith(
        'there is no plugin "regx" (expected one that `pyruse plugins` lists; did you mean '
        '"regex"?)\n'
    )
