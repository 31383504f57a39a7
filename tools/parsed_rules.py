"""Parses the built-in files of rules when Pyruse is built: that was half of a start with all rules.

A hook of hatchling, which builds Pyruse. An editable install gets the parsed files, too, and goes
without those of files that were changed since (`pyruse/rules/parsed.py`).
"""

from __future__ import annotations

import hashlib
import json
import shutil
import tomllib
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

RULES = "plugins/pyruse_plugins/rules"


class ParsedRules(BuildHookInterface[Any]):
    """Makes the folder `parsed` beside the files of rules."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make it before the wheel is.

        :param version: ``standard`` or ``editable``.
        :param build_data: says what is in the wheel, though git ignores it.
        """
        del version
        write(Path(self.root, RULES))
        build_data["artifacts"].append(f"/{RULES}/parsed/*.json")


def write(rules: Path) -> None:
    """Parse all the files of rules in a folder.

    :raises ValueError: one of them is no TOML.
    :raises TypeError: one has a value that JSON has not, such as a date.
    """
    folder = rules / "parsed"
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir()
    for file in sorted(rules.glob("*.toml")):
        text = file.read_bytes()
        content = tomllib.loads(text.decode())
        content.pop("samples", None)  # only tests need them
        digest = hashlib.blake2b(text, digest_size=16).hexdigest()
        document = {"digest": digest, "content": content}
        folder.joinpath(f"{file.stem}.json").write_text(
            json.dumps(document, ensure_ascii=False, separators=(",", ":")), "utf-8"
        )
