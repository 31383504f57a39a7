"""The generated parts of the documentation are what the code says now."""

from __future__ import annotations

import subprocess
import sys

from pyruse.config.load import SECTIONS
from pyruse.plugins import Registry
from pyruse.reference import described_options, described_plugin
from tests.docs.markdown import ROOT
from tools.generate_docs import OWN, TYPES


def test_generated_parts_are_up_to_date() -> None:
    # Without its own folder on the path: where a wheel is tested, the wheel is what is described.
    done = subprocess.run(
        [sys.executable, ROOT / "tools" / "generate_docs.py", "--check"],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_better_word_for_a_type_is_used() -> None:
    plugins = [found for found in Registry().all() if found.distribution == OWN]
    options = [
        *(option for found in plugins for option in described_plugin(found)["options"]),
        *(option for section in SECTIONS.values() for option in described_options(section)),
    ]
    types = " | ".join(option["type"] for option in options)
    for known, better in TYPES.items():  # a word may be there by another one's replacement only
        assert known in types, f"{known} is no type any more (expected a type of some option)"
        types = types.replace(known, better)
