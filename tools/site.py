"""Hooks of MkDocs (``mkdocs.yml``): what stands outside of ``docs/`` becomes part of the site.

The README, the changelog and the READMEs of packages become pages. Of other files that pages link
to, such as sources, the site has a copy in ``files/``; of folders, a list. Links are changed to
lead there, so that the same Markdown serves a reader of the repository.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from mkdocs.structure.files import File, Files

if TYPE_CHECKING:
    from mkdocs.config.defaults import MkDocsConfig
    from mkdocs.structure.pages import Page

ROOT = Path(__file__).resolve().parent.parent
DOCS = ROOT / "docs"
PAGES = {
    "README.md": "index.md",
    "CHANGELOG.md": "changelog.md",
    "CONTRIBUTING.md": "contributing.md",
    "SECURITY.md": "security.md",
}
"""Pages that stand at the top of the repository, and their places in the site."""
_LINK = re.compile(r"(?P<head>\]\()(?P<path>[^)#\s:]+)(?P<tail>#[^)\s]*)?(?=\))")
_PICTURES = {".png", ".svg"}
_TEXT_OF_LINK = re.compile(r"\[([^\]]*)\]\([^)]*\)")
_CODE = re.compile(r"(^```.*?^```$|`[^`\n]+`)", re.M | re.S)


def on_config(config: MkDocsConfig) -> MkDocsConfig:
    """Make anchors as hosts of repositories do, so that links to them work in both places."""
    config.mdx_configs["toc"] = {"slugify": slug, "permalink": True}
    return config


def slug(title: str, separator: str) -> str:
    """The anchor of a heading."""
    return re.sub(r"[^\w\- ]", "", title.lower()).strip().replace(" ", separator)


def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add the pages and files from outside of ``docs/``."""
    pages = {ROOT / name: place for name, place in PAGES.items()}
    packages = sorted(ROOT.glob("pyruse-contrib/*/README.md"))
    pages |= {readme: f"packages/{readme.parent.name}.md" for readme in packages}
    for source, place in pages.items():
        files.append(File.generated(config, place, abs_src_path=str(source)))
    overview = _overview([source.parent for source in packages])
    files.append(File.generated(config, "packages/index.md", content=overview))
    sources = [*pages, *DOCS.rglob("*.md")]
    for aim in sorted({aim for source in sources for aim in _outside(source)} - pages.keys()):
        files.append(_copied(aim, config))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Have links lead to where the site has what they name."""
    source = Path(page.file.abs_src_path) if page.file.abs_src_path else None
    if source is None:
        return markdown
    here = Path(page.file.src_uri).parent

    def moved(link: re.Match[str]) -> str:
        place = os.path.relpath(_place((source.parent / link["path"]).resolve()), here)
        return f"{link['head']}{place}{link['tail'] or ''}"

    parts = _CODE.split(markdown)  # at each odd index, there is code
    return "".join(part if at % 2 else _LINK.sub(moved, part) for at, part in enumerate(parts))


def _outside(source: Path) -> set[Path]:
    """The files and folders outside of ``docs/`` to which a page links."""
    text = _CODE.sub("", source.read_text("utf-8"))
    aims = {(source.parent / link["path"]).resolve() for link in _LINK.finditer(text)}
    return {
        aim for aim in aims
        if not aim.is_relative_to(DOCS) and not (aim / "README.md").is_file() and aim.exists()
    }  # fmt: skip


def _place(aim: Path) -> str:
    """Where the site has a file or folder of the repository: the name of its source."""
    if (aim / "README.md").is_file():
        aim /= "README.md"
    if aim.is_relative_to(DOCS):
        return str(aim.relative_to(DOCS))
    name = str(aim.relative_to(ROOT))
    if name in PAGES:
        return PAGES[name]
    if aim.name == "README.md" and aim.parent.parent.name == "pyruse-contrib":
        return f"packages/{aim.parent.name}.md"
    if aim.is_dir():
        return f"files/{name}.md"
    # As text, browsers show sources instead of saving them.
    return f"files/{name}" if aim.suffix in _PICTURES else f"files/{name}.txt"


def _copied(aim: Path, config: MkDocsConfig) -> File:
    if aim.is_file():
        return File.generated(config, _place(aim), content=aim.read_bytes())
    lines = [f"# {aim.relative_to(ROOT)}", ""]
    for file in sorted(aim.rglob("*")):
        if file.suffix in {".toml", ".service", ".conf"} and aim.name == "examples":
            text = file.read_text("utf-8")
            lines += [f"## {file.relative_to(aim)}", "", "```toml", text.rstrip(), "```", ""]
        elif file.is_file() and "__pycache__" not in file.parts:
            lines.append(f"* `{file.relative_to(aim)}`")
    return File.generated(config, _place(aim), content="\n".join(lines))


def _overview(packages: list[Path]) -> str:
    lines = [
        "# Packages",
        "",
        "Plugins that need more than Pyruse itself. Each is installed alone.",
        "",
    ]
    for package in packages:
        title, _, rest = (package / "README.md").read_text("utf-8").partition("\n")
        about = _TEXT_OF_LINK.sub(r"\1", rest.strip().partition("\n\n")[0]).replace("\n", " ")
        lines += [f"## [{title.lstrip('# ')}]({package.name}.md)", "", about, ""]
    return "\n".join(lines)
