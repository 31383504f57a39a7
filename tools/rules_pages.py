"""Makes a page for each built-in file of rules, and one that lists them: docs/rules/.

Another one tells of how many services the rules know (see `tools.coverage`).
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pyruse.registry.kinds import RULES
from pyruse.registry.packages import OWN
from pyruse.registry.registry import Registry
from pyruse.rules.library import Library
from pyruse.rules.rules_file import RulesFile, Sample, jumps_of
from tools import coverage

_LONGEST = 160  # characters of a line that is shown
_MOST_SAMPLES = 25


def pages(folder: Path) -> dict[Path, str]:
    """The text of each page.

    :param folder: where they are.
    """
    registry = Registry()
    library = Library(registry)
    found = [
        library.rules(name)
        for name in sorted(library.names)
        if registry.find(RULES, name).distribution == OWN
    ]
    made = {folder / f"{rules.name}.md": _page(rules, library) for rules in found}
    return made | {
        folder / "README.md": _list(found),
        folder / "coverage.md": coverage.page(found, library),
    }


def _list(found: list[RulesFile]) -> str:
    programs = [rules for rules in found if not rules.is_policy]
    policies = [rules for rules in found if rules.is_policy]
    return "\n".join(
        [
            "# The rules that come with Pyruse",
            "",
            f"What Pyruse knows, in {len(programs)} files, each of a program or a family of them; "
            "[Rules](../rules.md) tells how they are used, changed and written. "
            "[Which services the rules know](coverage.md) counts those that many machines run. "
            "These pages are made from the rules' files.",
            "",
            "| `use` | what it knows | programs |",
            "|---|---|---|",
            *(
                f"| [`{rules.name}`]({rules.name}.md) | {_cell(rules.title)} | "
                f"{', '.join(f'`{_cell(one)}`' for one in _first(rules.programs, 6))} |"
                for rules in programs
            ),
            "",
            "Policies, to which these jump:",
            "",
            "| policy | what it does |",
            "|---|---|",
            *(
                f"| [`{rules.name}`]({rules.name}.md) | {_cell(rules.title)} |"
                for rules in policies
            ),
            "",
        ]
    )


def _page(rules: RulesFile, library: Library) -> str:
    return "\n".join(_lines(rules, library))


def _lines(rules: RulesFile, library: Library) -> Iterator[str]:
    yield from (f"# `{rules.name}`", "", f"{rules.title}.", "")
    if rules.is_policy:
        yield from ("A policy: rules of programs jump to it, and `use` does not take it.", "")
    else:
        programs = ", ".join(f"`{program}`" for program in rules.programs)
        yield from (f"`pyruse init` offers it where the journal has entries of: {programs}.", "")
    if about := _about(Path(rules.file)):
        yield from (about, "")
    if events := _events(rules):
        linked = ", ".join(f"`{event}`" for event in events)
        yield from (f"It understands these [events](../events.md): {linked}.", "")
    policies = _policies(rules, library)
    if policies:
        links = ", ".join(f"[`{one.name}`]({one.name}.md)" for one in policies)
        who = [f"`{one.name}`" for one in policies if _bans(one)]
        bans = f" Of these, {' and '.join(who)} ban{'s' * (len(who) == 1)}." if who else ""
        yield from (f"What becomes of them, policies say: {links}.{bans}", "")
    if options := library.options_of(rules):
        of_all = "" if rules.is_policy else ", or for all rules in `[rules]`"
        yield from (f"## Options in `[rules.{rules.name}]`{of_all}", "")
        yield from ("| option | default | what it is for |", "|---|---|---|")
        for name, option in options.items():
            yield f"| `{name}` | `{_cell(_toml(option.default))}` | {_cell(option.help)} |"
        yield ""
    recognised = [sample for sample in rules.samples if sample.event is not None]
    passed = [sample for sample in rules.samples if sample.event is None]
    if recognised:
        yield from (
            "## Lines that it understands",
            "",
            "| event | line | fields |",
            "|---|---|---|",
        )
        for sample in _first(recognised, _MOST_SAMPLES):
            fields = ", ".join(f"`{_cell(name)} = {_cell(v)}`" for name, v in sample.fields.items())
            yield f"| `{sample.event}` | {_shown(sample)} | {fields} |"
        if len(recognised) > _MOST_SAMPLES:
            more = len(recognised) - _MOST_SAMPLES
            yield from ("", f"And {more} more: `pyruse rules {rules.name}` shows them all.")
        yield ""
    if passed:
        yield from ("## Lines that are somebody else's", "")
        yield from (f"* {_shown(sample)}" for sample in _first(passed, _MOST_SAMPLES))
        yield ""


def _first(items: Any, number: int) -> Any:
    return items[:number]


def _about(file: Path) -> str:
    """The comment before the first table: where the lines come from, and what is to be known."""
    about: list[str] = []
    for line in file.read_text("utf-8").splitlines():
        if line.startswith("["):
            break
        if line.startswith("#"):
            about.append(line.lstrip("# "))
        elif line.strip():
            about.clear()  # that was of an option of the file
    return " ".join(about)


def _events(rules: RulesFile) -> list[str]:
    names = [
        step["name"]
        for tables in rules.chains.values() for step in tables
        if isinstance(step, dict) and step.get("action") == "event"
    ]  # fmt: skip
    return list(dict.fromkeys(map(str, names)))


def _policies(rules: RulesFile, library: Library) -> list[RulesFile]:
    """Those that the rules jump to, and those that these jump to."""
    found: dict[str, RulesFile] = {}
    to_follow = [rules]
    for here in to_follow:
        for tables in here.chains.values():
            for chain in jumps_of(tables):
                policy = None if chain in here.chains else library.policy_with(chain)
                if policy is not None and policy.name not in {rules.name, *found}:
                    found[policy.name] = policy
                    to_follow.append(policy)
    return list(found.values())


def _bans(rules: RulesFile) -> bool:
    return any(step.get("action") == "ban" for tables in rules.chains.values() for step in tables)


def _shown(sample: Sample) -> str:
    text = str(sample.entry.get("MESSAGE", "")).replace("\n", "⏎").replace("\t", " ").strip()
    text = text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"
    program = sample.entry.get("SYSLOG_IDENTIFIER", "")
    return _code(_cell(f"{program}: {text}" if program else text))


def _code(text: str) -> str:
    """As code, whatever is in it (CommonMark 6.1)."""
    fence = "`"
    while fence in text:
        fence += "`"
    return f"{fence}{text}{fence}" if fence == "`" else f"{fence} {text} {fence}"


def _cell(text: str) -> str:
    printable = "".join(one if one.isprintable() else "�" for one in text)
    return printable.replace("|", "\\|")


def _toml(value: Any) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return f'"{value}"'
    if isinstance(value, list):
        return f"[{', '.join(map(_toml, value))}]"
    if isinstance(value, dict):
        return "{ " + ", ".join(f"{name} = {_toml(one)}" for name, one in value.items()) + " }"
    return str(value)
