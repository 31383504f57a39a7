"""Writes those parts of the documentation that the code tells: options, plugins, commands.

    python tools/generate_docs.py            # writes them anew
    python tools/generate_docs.py --check    # exits with 1 when they are not what the code says

Pages of rules, the list of plugins, man pages and the list of parts are made as a whole (see
`tools.rules_pages`, `tools.plugins_page`, `tools.man_pages` and `tools.sbom`).
Elsewhere, a generated part stands between the markers ``<!-- generated: NAME -->`` and ``<!-- end:
NAME -->``; `PARTS` has the names. What stands around them is written by hand.
"""

from __future__ import annotations

import inspect
import re
import sys
import tomllib
from collections.abc import Callable, Iterable, Iterator
from functools import partial
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import click

from pyruse import (
    EVENTS,
    Attachment,
    Attention,
    Ban,
    BanRequest,
    Column,
    Context,
    Counters,
    Entry,
    Expectation,
    Glance,
    KindRow,
    Line,
    Mail,
    Observer,
    Parcel,
    Program,
    Report,
    Reported,
    Row,
    Summary,
    Table,
    Tallied,
    Tally,
    Times,
    Traits,
    Unusual,
    WorkedOut,
)
from pyruse.cli import COMMANDS
from pyruse.config.reference import described_hook, described_options, described_plugin
from pyruse.config.sections import SECTIONS
from pyruse.registry.found import PluginError
from pyruse.registry.hooks import HOOKS
from pyruse.registry.kinds import ACTIONS, EXTENSIONS, FILTERS
from pyruse.registry.registry import Registry

ROOT = Path(__file__).parent.parent
sys.path.append(str(ROOT))  # appended: where Pyruse is installed, that one is described

from tools.api_docs import table  # noqa: E402 -- the path comes first
from tools.man_pages import man_pages  # noqa: E402
from tools.plugins_page import page as plugins_page  # noqa: E402
from tools.rules_pages import pages  # noqa: E402
from tools.sbom import sbom  # noqa: E402

DOCS = ROOT / "docs"
COMMAND = "python tools/generate_docs.py"
OWN = "pyruse"
"""The distribution whose plugins are described here; others have a documentation of their own."""

_PART = re.compile(r"(<!-- generated: (?P<name>\S+) -->\n).*?(<!-- end: (?P=name) -->)", re.S)
_DOUBLE_BACKTICKS = re.compile(r"(?<!`)``(?!`)")

_REFERENCE = "configuration.md"
TYPES = {
    "a duration": f"a [duration]({_REFERENCE}#durations)",
    "a size": f"a [size]({_REFERENCE}#sizes)",
    "a field": f"a [field]({_REFERENCE}#fields)",
    "a new field": f"a [new field]({_REFERENCE}#fields)",
    "a key": f"a [key]({_REFERENCE}#keys)",
    "a template": f"a [message]({_REFERENCE}#messages)",
    "networks": f"[networks]({_REFERENCE}#networks)",
    "patterns": f"a [pattern]({_REFERENCE}#patterns), or a list of them",
    "a clock time": "a time of day",
    "a mail address": "a mail address",
    "a secret file": f"the path of a [file with a secret]({_REFERENCE}#files-with-secrets)",
    "a smtp url": "a URL",
    "a state url": "a URL",
    "an encoding": "the name of a character encoding",
    "a zone": "the name of a time zone",
    "an ipv4 prefix length": "1 to 32",
    "an ipv6 prefix length": "1 to 128",
    "sets": "a table: `ipv4`, `ipv6`, or both",
    "a command line": "a list: the program and its first arguments",
    "a ban command": "a list: the program and its arguments",
    "a plain command": "a list: the program and its arguments",
    "a table name": "the name of a table",
    "a list, each item text": "a list of texts",
    "a list, each item a path": "a list of paths",
    "one of:": "",
}
"""What `pyruse.options.build.described` calls a type, and what the documentation says instead."""
TOLD = (
    *(
        Attachment,
        Ban,
        BanRequest,
        Context,
        Counters,
        Entry,
        Expectation,
        Line,
        Mail,
        Observer,
        Parcel,
        Program,
    ),
    *(
        Attention,
        Column,
        Glance,
        KindRow,
        Report,
        Reported,
        Tallied,
        WorkedOut,
        Row,
        Summary,
        Table,
        Tally,
        Times,
        Traits,
        Unusual,
    ),
)
"""Of what authors of plugins are given, the classes whose members stand in a table."""
COMMON = ("config", "since", "until", "boot", "directory", "files", "namespace")
"""The options that several commands have: they are told once. One command that has them all."""
_HAS_COMMON = "replay"


def main(arguments: list[str]) -> int:
    """Write the parts, or (``--check``) tell which files are out of date; gives the exit code."""
    if (stale := _not_installed()) is not None:
        print(stale)
        return 1
    outdated = []
    missing = set(PARTS)
    for file in sorted(DOCS.glob("*.md")):
        text = file.read_text("utf-8")
        missing -= {part["name"] for part in _PART.finditer(text)}
        made = with_parts(text, file.name)
        if made == text:
            continue
        outdated.append(file.relative_to(DOCS.parent))
        if "--check" not in arguments:
            file.write_text(made, "utf-8")
            print(f"{outdated[-1]}: written")
    rules = pages(DOCS / "rules")
    # Man pages are made of what is written by now.
    man = man_pages(DOCS, DOCS.parent / "deploy/man", rules[DOCS / "rules/README.md"])
    parts = {
        DOCS / "plugins.md": plugins_page(ROOT),
        DOCS.parent / "deploy/sbom.cdx.json": sbom(ROOT),
    }
    for file, made in (*rules.items(), *man.items(), *parts.items()):
        if not file.is_file() or file.read_text("utf-8") != made:
            outdated.append(file.relative_to(DOCS.parent))
            if "--check" not in arguments:
                file.parent.mkdir(exist_ok=True)
                file.write_text(made, "utf-8")
                print(f"{outdated[-1]}: written")
    for part in sorted(missing):
        print(f"docs: nothing tells of {part} (expected <!-- generated: {part} --> and its end)")
    if outdated and "--check" in arguments:
        for name in outdated:
            print(f"{name}: not what the code says (expected up to date: run `{COMMAND}`)")
        return 1
    return 1 if missing else 0


def _not_installed() -> str | None:
    """What the installed metadata lack: pages of some of the plugins would replace those of all."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
    installed = {(one.group, one.name) for one in metadata.distribution(OWN).entry_points}
    for group, points in project["entry-points"].items():
        for name in points:
            if (group, name) not in installed:
                return (
                    f"{group}: {name} is not installed "
                    "(expected what pyproject.toml says: run `pip install --no-deps -e .`)"
                )
    return None


def with_parts(text: str, name: str) -> str:
    """A document with its generated parts made anew.

    :param name: of the document's file.
    """
    fresh = _PART.sub(lambda part: f"{part[1]}\n{PARTS[part['name']]()}\n{part[3]}", text)
    # What is told in the very document that a link stands in needs no file name.
    return fresh.replace(f"]({name}#", "](#")


def _settings() -> str:
    return "\n".join(_blocks(_section(name, cls) for name, cls in SECTIONS.items()))


def _section(name: str, cls: type) -> Iterator[str]:
    yield f"### `[{name}]`"
    about = _markdown(inspect.getdoc(cls) or "").partition(": ")[2]
    yield about[:1].upper() + about[1:]
    yield from _options(described_options(cls))


def _plugins(group: str) -> Callable[[], str]:
    def made() -> str:
        registry = Registry()
        mine = [one for one in registry.all() if one.group == group and one.distribution == OWN]
        plugins = [described_plugin(one) for one in mine]
        overview = [
            "| name | what it does |",
            "|---|---|",
            *(f"| [`{one['name']}`](#{one['name']}) | {one['summary']} |" for one in plugins),
            "",
        ]
        return "\n".join([*overview, *_blocks(_plugin(one) for one in plugins)])

    return made


def _plugin(plugin: dict[str, Any]) -> Iterator[str]:
    yield f"### `{plugin['name']}`"
    yield _markdown(plugin["documentation"])
    if plugin["options"]:
        if plugin["table"]:
            yield f"Its options are in `[{plugin['table']}]`:"
        yield from _options(plugin["options"])


def _options(options: list[dict[str, Any]]) -> Iterator[str]:
    yield "\n".join(
        [
            "| option | value | default | what it is for |",
            "|---|---|---|---|",
            *(
                f"| `{one['name']}` | {_cell(_type(one['type']))} | {_default(one)} "
                f"| {_cell(one['help'])} |"
                for one in options
            ),
        ]
    )
    for one in options:
        if one["items"]:
            yield f"Each item of `{one['name']}` is a table:"
            yield from _options(one["items"])


def _type(words: str) -> str:
    """The words for a type, with links to what is told about it."""
    for known, better in TYPES.items():
        words = re.sub(rf"(?<!\w){known}(?![\w,])", better, words)
    return re.sub(r'("\w+")', r"`\1`", words.strip())


def _default(option: dict[str, Any]) -> str:
    if option["required"]:
        return "**required**"
    default: str = option["default"]
    return default if default in ("none", "this machine's") else f"`{_cell(default)}`"


def _hook(name: str) -> Callable[[], str]:
    def made() -> str:
        return "\n".join(_blocks([_hook_blocks(described_hook(name))])).rstrip()

    return made


def _hook_blocks(hook: dict[str, Any]) -> Iterator[str]:
    yield f"### `{hook['name']}({', '.join(one['name'] for one in hook['arguments'])})`"
    yield _markdown(hook["documentation"])
    if hook["arguments"]:
        rows = (
            f"| `{one['name']}` | `{_cell(one['type'])}` | {_cell(one['help'])} |"
            for one in hook["arguments"]
        )
        yield "\n".join(["| argument | type | what it is |", "|---|---|---|", *rows])
    if hook["gives"] != "None":
        yield f"It gives `{hook['gives']}`."
    for fault in hook["raises"]:
        yield f"It may raise {_markdown(fault)}"


def _commands() -> str:
    chapters = [_common(), *(block for name in COMMANDS for block in _command(name))]
    return "\n".join(_blocks(chapters))


def _common() -> Iterator[str]:
    yield "### Options of several commands"
    options = {one.name: one for one in _loaded(_HAS_COMMON).params}
    yield from _option_table([options[name] for name in COMMON])


def _loaded(name: str) -> click.Command:
    command: click.Command = import_module(f"pyruse.cli.commands.{COMMANDS[name][0]}").command
    return command


def _command(name: str) -> Iterator[Iterator[str]]:
    command = _loaded(name)
    yield _one_command(f"pyruse {name}", command)
    if isinstance(command, click.Group):
        for sub in command.commands.values():
            yield _one_command(f"pyruse {name} {sub.name}", sub)


def _one_command(name: str, command: click.Command) -> Iterator[str]:
    yield f"### `{name}`"
    arguments = [_argument(one) for one in command.params if isinstance(one, click.Argument)]
    if arguments:
        yield f"`{' '.join([name, '[OPTION]…', *arguments])}`"
    for paragraph in inspect.cleandoc(command.help or "").split("\n\n"):
        text = paragraph.removeprefix(r"\b").strip("\b\n")  # click: lines that are not joined
        yield f"```sh\n{text}\n```" if text.startswith("pyruse ") else _markdown(text)
    common = [one for one in command.params if one.name in COMMON]
    if common:
        which = "" if len(common) > 1 else "`--config` of "
        yield f"Takes {which}the [options of several commands](#options-of-several-commands)."
    yield from _option_table([one for one in command.params if one not in common])


def _option_table(parameters: list[click.Parameter]) -> Iterator[str]:
    options = [one for one in parameters if isinstance(one, click.Option)]
    if options:
        rows = (f"| {_flags(one)} | {_option_help(one)} |" for one in options)
        yield "\n".join(["| option | what it does |", "|---|---|", *rows])


def _argument(argument: click.Argument) -> str:
    metavar = argument.metavar or (argument.name or "").upper()
    return metavar if argument.required or argument.metavar else f"[{metavar}]"


def _flags(option: click.Option) -> str:
    if option.is_flag:
        metavar = ""
    elif isinstance(option.type, click.Choice):
        metavar = " " + _cell("|".join(map(str, option.type.choices)))
    else:
        metavar = " " + (option.metavar or option.type.name.upper())
    *others, last = option.opts if option.opts[-1].startswith("--") else reversed(option.opts)
    return ", ".join([*(f"`{flag}`" for flag in others), f"`{last}{metavar}`"])


def _option_help(option: click.Option) -> str:
    text = _cell(option.help or "")
    if option.show_default or isinstance(option.type, click.Choice):
        text = f"{text} By default: `{option.default}`.".strip()
    return text


def _markdown(text: str) -> str:
    """A docstring as Markdown: reStructuredText's double backticks become single ones."""
    return _DOUBLE_BACKTICKS.sub("`", text.strip())


def _cell(text: str) -> str:
    return _markdown(text).replace("|", r"\|")


def _blocks(chapters: Iterable[Iterator[str]]) -> Iterator[str]:
    for chapter in chapters:
        for block in chapter:
            yield block
            yield ""


def _events() -> str:
    rows = [
        "| event | counted by | adds up | about | weight | what it means |",
        "|---|---|---|---|---|---|",
    ]
    for name, kind in EVENTS.items():
        fields = ", ".join(f"`{field}`" for field in kind.fields)
        amount = f"`{kind.amount}`" if kind.amount else ""
        about = f"`{kind.subject}`" if kind.subject else ""
        weight = kind.weight or ""
        rows.append(f"| `{name}` | {fields} | {amount} | {about} | {weight} | {kind.meaning} |")
    return "\n".join(rows)


PARTS: dict[str, Callable[[], str]] = {
    "events": _events,
    "settings": _settings,
    "filters": _plugins(FILTERS),
    "actions": _plugins(ACTIONS),
    "programs": _plugins(EXTENSIONS),
    "commands": _commands,
    **{f"hook-{name}": _hook(name) for name in HOOKS},
    **{f"type-{cls.__name__}": partial(table, cls) for cls in TOLD},
}

if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except PluginError as fault:
        sys.exit(str(fault))
