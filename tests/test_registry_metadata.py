"""What a registry of packages gets: the wheel, its README, its parts."""

from __future__ import annotations

import email
import json
import os
import re
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from tools.registry_metadata import absolute

ROOT = Path(__file__).parent.parent
URL = "https://example.org/pyruse"


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> zipfile.ZipFile:
    """The wheel as a release has it."""
    place = tmp_path_factory.mktemp("wheel")
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", place],
        cwd=ROOT, check=True, capture_output=True, env={**os.environ, "PYRUSE_URL": URL},
    )  # fmt: skip
    (file,) = place.glob("*.whl")
    return zipfile.ZipFile(file)


def _info(wheel: zipfile.ZipFile, name: str) -> str:
    (path,) = (one for one in wheel.namelist() if one.endswith(f".dist-info/{name}"))
    return wheel.read(path).decode()


def test_links_and_pictures_of_the_readme_lead_somewhere(wheel: zipfile.ZipFile) -> None:
    metadata = email.message_from_string(_info(wheel, "METADATA"))
    text = re.sub(r"(?ms)^```.*?^```$", "", str(metadata.get_payload()))
    targets = re.findall(r"\]\(([^)\s]+)\)", text)
    assert len(targets) > 20
    assert [one for one in targets if not one.startswith(("https://", "#"))] == []
    assert f"{URL}/raw/v{metadata['Version']}/docs/report.png" in targets
    assert f"Source, {URL}" in metadata.get_all("Project-URL", [])


def test_every_link_is_to_a_file_that_is_there(wheel: zipfile.ZipFile) -> None:
    metadata = email.message_from_string(_info(wheel, "METADATA"))
    head = re.escape(f"{URL}/") + rf"(?:blob|raw)/v{re.escape(metadata['Version'])}/([^)#\s]+)"
    paths = set(re.findall(head, str(metadata.get_payload())))
    assert paths
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_the_wheel_tells_its_parts(wheel: zipfile.ZipFile) -> None:
    made = json.loads(_info(wheel, "sboms/sbom.cdx.json"))
    metadata = email.message_from_string(_info(wheel, "METADATA"))
    assert (made["bomFormat"], made["metadata"]["component"]["version"]) == (
        "CycloneDX", metadata["Version"],
    )  # fmt: skip
    needed = {re.split(r"[^\w-]", one)[0] for one in metadata.get_all("Requires-Dist", [])
              if "extra" not in one}  # fmt: skip
    assert needed <= {one["name"] for one in made["components"]}


def test_all_that_init_and_man_need_is_in_the_wheel(wheel: zipfile.ZipFile) -> None:
    names = wheel.namelist()
    for file in (ROOT / "deploy").glob("pyruse.*"):
        assert f"pyruse/deploy/{file.name}" in names
    assert "pyruse/deploy/sendmail.conf" in names
    assert "pyruse/deploy/examples/mail-server.toml" in names
    for page in (ROOT / "deploy/man").iterdir():
        assert any(name.endswith(f"share/man/man{page.suffix[1:]}/{page.name}") for name in names)


@pytest.mark.parametrize(
    ("text", "here", "nowhere"),
    [
        ("[a](docs/b.md#c)", f"[a]({URL}/blob/v1/docs/b.md#c)", "a"),
        ("![a](b.png)", f"![a]({URL}/raw/v1/b.png)", ""),
        ("[![a](b.png)](b.png)", f"[![a]({URL}/raw/v1/b.png)]({URL}/blob/v1/b.png)", ""),
        ("[a](https://b.org) [c](#c)", "[a](https://b.org) [c](#c)", "[a](https://b.org) [c](#c)"),
        ("```\n[a](b)\n```", "```\n[a](b)\n```", "```\n[a](b)\n```"),
    ],
)
def test_links(text: str, here: str, nowhere: str) -> None:
    assert (absolute(text, URL, "v1"), absolute(text, "", "v1")) == (here, nowhere)
