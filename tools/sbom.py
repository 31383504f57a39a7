"""What a release of Pyruse is made of, in CycloneDX' form (PEP 770).

The wheel brings nothing but Pyruse: its components are the releases that deploy/requirements.txt
pins, which the packages of distributions and `make install` bring along.
"""

from __future__ import annotations

import json
import re
import tomllib
from pathlib import Path
from typing import Any

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

_PIN = re.compile(r"(?m)^([A-Za-z0-9][\w.-]*)==(\S+)")
_ONLY_INSTALLS = {"pip"}


def sbom(root: Path) -> str:
    """The file, as JSON.

    :param root: the top of the tree.
    """
    project = tomllib.loads((root / "pyproject.toml").read_text("utf-8"))["project"]
    pins = _PIN.findall((root / "deploy/requirements.txt").read_text("utf-8"))
    own = _component(project["name"], project["version"])
    own |= {
        "description": project["description"],
        "licenses": [{"license": {"id": project["license"]}}],
    }
    references = {canonicalize_name(name): _reference(name, version) for name, version in pins}
    direct = [canonicalize_name(Requirement(text).name) for text in project["dependencies"]]
    made = {
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "version": 1,
        "metadata": {
            "component": own,
            "lifecycles": [{"phase": "build"}],
        },
        "components": [
            _component(name, version)
            | {"scope": "excluded" if name in _ONLY_INSTALLS else "required"}
            for name, version in pins
        ],
        "dependencies": [
            {"ref": own["bom-ref"], "dependsOn": [references[name] for name in direct]}
        ],
        # What they need themselves is listed above, but not who needs it.
        "compositions": [{"aggregate": "incomplete", "dependencies": sorted(references.values())}],
    }  # fmt: skip
    return json.dumps(made, indent=1, ensure_ascii=False) + "\n"


def _component(name: str, version: str) -> dict[str, Any]:
    reference = _reference(name, version)
    kind = "application" if name == "pyruse" else "library"
    return {
        "type": kind, "bom-ref": reference, "name": name, "version": version, "purl": reference,
    }  # fmt: skip


def _reference(name: str, version: str) -> str:
    return f"pkg:pypi/{canonicalize_name(name)}@{version}"
