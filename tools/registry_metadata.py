"""What a registry of packages shows of Pyruse: the README with links that work there, addresses.

A hook of hatchling, which builds Pyruse. Where the project lives is said by whoever releases it, in
the environment variable PYRUSE_URL (the release workflow does): links of the README lead there, to
the tag of the release. Without it, links within the project are text, and pictures are left out.
"""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

_PICTURE = re.compile(r"!\[([^\]]*)\]\((?!https?:|#)([^)\s]+)\)")
_LINKED_PICTURE = re.compile(r"\[(!\[[^\]]*\]\([^)\s]+\))\]\((?!https?:|#)([^)\s]+)\)")
_LINK = re.compile(r"(?<!!)\[([^\[\]]+)\]\((?!https?:|mailto:|#)([^)\s]+)\)")
_CODE = re.compile(r"(?ms)(^```.*?^```$)")


class RegistryMetadata(MetadataHookInterface):
    """Gives `readme` and `urls`, which pyproject.toml calls dynamic."""

    def update(self, metadata: dict[str, Any]) -> None:
        """Add what is dynamic.

        :param metadata: the table `project` of pyproject.toml.
        """
        url = os.environ.get("PYRUSE_URL", "").rstrip("/")
        text = Path(self.root, "README.md").read_text("utf-8")
        readme = absolute(text, url, f"v{metadata['version']}")
        metadata["readme"] = {"content-type": "text/markdown", "text": readme}
        metadata["urls"] = urls(url)


def urls(url: str) -> dict[str, str]:
    """The addresses of a project on a forge; none without one.

    :param url: of the project.
    """
    if not url:
        return {}
    return {
        "Homepage": url,
        "Documentation": f"{url}/blob/main/docs/getting-started.md",
        "Changelog": f"{url}/blob/main/CHANGELOG.md",
        "Issues": f"{url}/issues",
        "Source": url,
    }


def absolute(text: str, url: str, tag: str) -> str:
    """Markdown whose links lead somewhere from everywhere.

    :param url: of the project; empty: nobody knows.
    :param tag: of the release that the text belongs to.
    """

    def rewritten(part: str) -> str:
        if part.startswith("```"):
            return part
        if not url:
            part = _LINKED_PICTURE.sub("", part)
            return _LINK.sub(r"\1", _PICTURE.sub("", part))
        part = _PICTURE.sub(rf"![\1]({url}/raw/{tag}/\2)", part)
        part = re.sub(r"\]\]\((?!https?:|#)", rf"]]({url}/blob/{tag}/", part)
        part = re.sub(r"\)\]\((?!https?:|#)", rf")]({url}/blob/{tag}/", part)
        return _LINK.sub(rf"[\1]({url}/blob/{tag}/\2)", part)

    return "".join(rewritten(part) for part in _CODE.split(text))
