"""The man pages: pages of the documentation, in the language of man(7).

Each man page is put together from chapters of Markdown, which are written by hand or generated
themselves; so nothing is told twice.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

from tools.roff import roff

ROOT = Path(__file__).parent.parent

_PAGES_OF = {
    "commands.md": "pyruse(1)",
    "configuration.md": "pyruse.toml(5)",
    "filters-and-actions.md": "pyruse.toml(5)",
    "rules.md": "pyruse-rules(7)",
    "writing-rules.md": "pyruse-rules(7)",
}
"""Documents that are man pages; others are named as what they are."""
_FOLDER = "/usr/share/doc/pyruse/docs"

_FILES = """
# FILES

* `/etc/pyruse/pyruse.toml`, `/etc/pyruse/conf.d/*.toml`: the configuration, see pyruse.toml(5)
* `/etc/pyruse/plugins`: plugins and rules that are files
* `/var/lib/pyruse`: what Pyruse remembers, and where in the journal it is
* `/usr/local/lib/pyruse-plugins`: where `pyruse install` puts plugins beside a packaged Pyruse

# ENVIRONMENT

* `PYRUSE_CONFIG`: another file or folder with a configuration
"""


def man_pages(docs: Path, place: Path, list_of_rules: str) -> dict[Path, str]:
    """Each man page with its text.

    :param docs: the folder of the documentation.
    :param place: the folder of the man pages.
    :param list_of_rules: the page that lists all rules.
    """
    configuration = _chapters(docs / "configuration.md")
    commands = _chapters(docs / "commands.md")
    steps = _chapters(docs / "filters-and-actions.md")
    rules = _chapters(docs / "rules.md") | _chapters(docs / "writing-rules.md")
    about = (
        "Pyruse reads each entry of the systemd journal once, as it comes: it bans, warns, counts, "
        "and mails a report each day. `pyruse init` makes its first configuration; `pyruse run` "
        "is the daemon, which the service starts.\n"
    )
    made = {
        "pyruse.1": (
            "peruses the systemd journal: bans, warns, counts, and reports once a day",
            _titled("**pyruse** *COMMAND* [*OPTION*]… [*ARGUMENT*]…\n", "Synopsis")
            + _titled(about, "Description")
            + "".join(_titled(_raised(text), name) for name, text in commands.items())
            + _FILES,
        ),
        "pyruse.toml.5": (
            "the configuration of Pyruse",
            "".join(_titled(text, name) for name, text in (configuration | steps).items()),
        ),
        "pyruse-rules.7": (
            "what Pyruse knows of programs",
            "".join(_titled(text, name) for name, text in rules.items())
            + _titled(list_of_rules.partition("\n\n")[2], "The rules that come with Pyruse"),
        ),
    }  # fmt: skip
    release = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"]
    return {place / name: _page(name, release, about, text) for name, (about, text) in made.items()}


def _page(name: str, release: str, about: str, text: str) -> str:
    title, _, section = name.rpartition(".")
    others = sorted({"pyruse(1)", *_PAGES_OF.values()} - {f"{title}({section})"})
    seen = ", ".join([*others, "systemd.journal-fields(7)", "journalctl(1)", "nft(8)"])
    text = _linked(text, f"{title}({section})")
    text += f"\n# SEE ALSO\n\n{seen}\n\nThe documentation, with more pages: `{_FOLDER}`\n"
    lines = [
        r".\" Made by tools/generate_docs.py out of docs/*.md and the commands: do not edit.",
        f'.TH "{title.upper()}" "{section}" "" "pyruse {release}" "Pyruse"',
        ".SH NAME",
        rf"{title} \- {about}",
        *roff(text),
    ]
    return "\n".join(lines) + "\n"


def _chapters(file: Path) -> dict[str, str]:
    """What stands under each heading of the second level, by its text; code is no heading."""
    text = re.sub(r"<!--.*?-->\n?", "", file.read_text("utf-8"), flags=re.S)
    chapters: dict[str, str] = {}
    here, in_code = "", False
    for line in text.splitlines(keepends=True):
        in_code ^= line.startswith("```")
        if line.startswith("## ") and not in_code:
            here = line[3:].strip()
            chapters[here] = ""
        elif here:
            chapters[here] += line
    return chapters


def _titled(text: str, name: str) -> str:
    return f"\n# {name.upper()}\n\n{text}"


def _raised(text: str) -> str:
    """Commands as headings without the quotes of code."""
    return re.sub(r"(?m)^### `(.*)`$", r"### \1", text)


def _linked(text: str, this: str) -> str:
    """Links within the documentation become text, with the man page where it is another one.

    :param this: the man page that the text is in.
    """

    def named(link: re.Match[str]) -> str:
        words, target = link[1], link[2].partition("#")[0]
        page = _PAGES_OF.get(target.rpartition("/")[2])
        return f"{words}" if page in (None, this) else f"{words} ({page})"

    return "".join(
        part
        if part.startswith("```")
        else re.sub(r"\[([^\]]+)\]\((?!https?:)([^)]*)\)", named, part)
        for part in _fenced(text)
    )


def _fenced(text: str) -> Iterator[str]:
    """The text in parts, each of them code or none."""
    yield from re.split(r"(?ms)(^```.*?^```$)", text)
