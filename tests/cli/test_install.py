"""``pyruse install`` and ``uninstall``: packages of plugins beside a packaged Pyruse."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

THIS = f"python{sys.version_info.major}.{sys.version_info.minor}"
Pyruse = Callable[..., subprocess.CompletedProcess[str]]


def wheel(folder: Path, name: str, plugin: str, *requires: str, release: str = "1.0") -> Path:
    """A wheel with a filter, as pip takes it."""
    points = f"[pyruse.filters]\n{plugin} = {name.replace('-', '_')}:Passes\n" if plugin else ""
    module, info = name.replace("-", "_"), f"{name.replace('-', '_')}-{release}.dist-info"
    needs = "".join(f"Requires-Dist: {one}\n" for one in requires)
    files = {
        f"{module}.py": (
            "from dataclasses import dataclass\nfrom pyruse import Entry, hookimpl\n\n"
            "@dataclass\nclass Passes:\n    '''Passes.'''\n    @hookimpl\n"
            "    def match_entry(self, entry: Entry) -> bool:\n        return True\n"
        ),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {release}\n{needs}",
        f"{info}/WHEEL": "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        f"{info}/entry_points.txt": points,
    }  # fmt: skip
    file = folder / f"{module}-{release}-py3-none-any.whl"
    with zipfile.ZipFile(file, "w") as made:
        for path, text in files.items():
            made.writestr(path, text)
        made.writestr(
            f"{info}/RECORD", "".join(f"{path},,\n" for path in [*files, f"{info}/RECORD"])
        )
    return file


@pytest.fixture
def packaged(tmp_path: Path) -> Pyruse:
    """The command of a Pyruse in an environment as deploy/bundle.sh makes it; plugins go beside."""
    home = tmp_path / "lib" / "pyruse"
    venv.create(home, with_pip=False, symlinks=True)
    packages = home / "lib" / THIS / "site-packages"
    # Pyruse itself, pip and all the rest: those that run this test.
    (packages / "running.pth").write_text(
        f"import site; site.addsitedir({sysconfig.get_path('purelib')!r})\n"
    )
    beside = tmp_path / "beside" / "lib" / THIS / "site-packages"
    (packages / "pyruse-plugins.pth").write_text(f"{beside}\n")

    def run(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [home / "bin/python", "-m", "pyruse", *arguments],
            capture_output=True, text=True, check=False, cwd=tmp_path,
            env={"PATH": "/usr/bin:/bin", "PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(tmp_path),
                 "PYRUSE_CONFIG": str(tmp_path / "etc")},
        )  # fmt: skip

    return run


def test_a_package_is_put_beside_and_found(packaged: Pyruse, tmp_path: Path) -> None:
    file = wheel(tmp_path, "pyruse-passing", "passes", "more-of-it")
    wheel(tmp_path, "more-of-it", "")

    done = packaged("install")
    assert "there are no packages of plugins in" in done.stdout, done.stderr
    done = packaged("install", file)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "pyruse-passing 1.0: filter passes\n" in done.stdout
    assert "systemctl restart pyruse" in done.stdout
    assert "filter\tpasses\t" in packaged("plugins").stdout
    assert packaged("install").stdout == "pyruse-passing 1.0: filter passes\n"

    done = packaged("uninstall", "passing")
    assert done.returncode == 1
    assert "passing: there is no such package of plugins (expected one of: pyru" in done.stderr
    done = packaged("uninstall", "pyruse-passing")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "filter\tpasses\t" not in packaged("plugins").stdout
    assert not (tmp_path / "beside").exists()  # the last one takes the environment along


def test_what_a_package_has_brought_along_is_named(packaged: Pyruse, tmp_path: Path) -> None:
    wheel(tmp_path, "more-of-it", "")
    wheel(tmp_path, "pyruse-other", "other")
    packaged("install", wheel(tmp_path, "pyruse-passing", "passes", "more-of-it"), "pyruse-other")
    done = packaged("uninstall", "pyruse-passing")
    assert "installed with them, and needed no more: more-of-it\n" in done.stdout, done.stderr
    assert packaged("install").stdout == "pyruse-other 1.0: filter other\n"


def test_what_another_python_has_left_behind_is_told_and_installed_again(
    packaged: Pyruse, tmp_path: Path
) -> None:
    packaged("install", wheel(tmp_path, "pyruse-passing", "passes"))
    folder = tmp_path / "beside" / "lib"
    (folder / THIS).rename(folder / "python3.1")
    told = packaged("plugins").stderr
    assert f"{folder}/python3.1/site-packages: plugins for Python 3.1, which Python" in told
    assert "does not see (expected: sudo pyruse install --again)" in told
    assert "left behind by another Python: pyruse-passing @ file://" in packaged("install").stdout

    done = packaged("install", "--again")
    assert done.returncode == 0, done.stdout + done.stderr
    assert "filter\tpasses\t" in packaged("plugins").stdout
    assert not (folder / "python3.1").exists()


def test_what_pip_says_against_it_is_told(packaged: Pyruse) -> None:
    done = packaged("install", "pyruse-nowhere")
    assert done.returncode == 1
    assert "No matching distribution found for pyruse-nowhere" in done.stderr
    assert "failed with exit code 1 (expected that it works: it has told why above)" in done.stderr


def test_a_package_that_needs_another_release_of_what_is_here_is_refused(
    packaged: Pyruse, tmp_path: Path
) -> None:
    # What Pyruse brings along is in its own environment: here, one that says so.
    packages = tmp_path / "lib/pyruse/lib" / THIS / "site-packages"
    with zipfile.ZipFile(wheel(tmp_path, "brought-along", "", release="1.0")) as brought:
        brought.extractall(packages)
    wheel(tmp_path, "brought-along", "", release="2.0")
    done = packaged("install", wheel(tmp_path, "pyruse-new", "new", "brought-along>=2"))
    assert done.returncode == 1
    assert "brought-along==1.0" in done.stderr + done.stdout
    assert "failed with exit code 1" in done.stderr
    assert packaged("install").stdout.startswith("there are no packages of plugins in")
