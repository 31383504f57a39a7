"""The files for the service manager, judged by its own programs."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from packaging.requirements import Requirement

from pyruse.setup import service
from pyruse.testing.plugin import need

ROOT = Path(__file__).parent.parent
DEPLOY = ROOT / "deploy"
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]

pytestmark = pytest.mark.realparts


def run(program: str, *arguments: object) -> str:
    """What a program says; it has to end well."""
    need(None if shutil.which(program) else f"{program} is not installed")
    done = subprocess.run(
        [program, *map(str, arguments)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


@pytest.fixture
def unit(tmp_path: Path) -> Path:
    """The unit, with a program that is there."""
    text = (DEPLOY / "pyruse.service").read_text()
    assert "ExecStart=/usr/bin/pyruse run\n" in text
    file = tmp_path / "pyruse.service"
    file.write_text(text.replace("/usr/bin/pyruse", "/bin/true"))
    return file


def test_the_unit_is_exposed_to_little(unit: Path) -> None:
    # In tenths; above it, the exit code is another one.
    run("systemd-analyze", "security", "--offline=yes", "--threshold=15", "--no-pager", unit)


def test_the_unit_is_understood(unit: Path) -> None:
    assert run("systemd-analyze", "verify", "--man=no", unit) == ""


@pytest.mark.parametrize("drop_in", ["sendmail.conf", "ipset.conf"])
def test_the_drop_ins_are_understood(unit: Path, drop_in: str) -> None:
    folder = unit.with_name("pyruse.service.d")
    folder.mkdir()
    shutil.copy(DEPLOY / drop_in, folder)
    assert run("systemd-analyze", "verify", "--man=no", unit) == ""


def test_the_drop_in_gives_back_whatever_keeps_sendmail_from_its_rights() -> None:
    """All settings that imply NoNewPrivileges= (systemd.exec(5)) and that the unit has."""
    implying = {
        "LockPersonality", "MemoryDenyWriteExecute", "NoNewPrivileges", "PrivateDevices",
        "ProtectClock", "ProtectHostname", "ProtectKernelLogs", "ProtectKernelModules",
        "ProtectKernelTunables", "RestrictAddressFamilies", "RestrictNamespaces",
        "RestrictRealtime", "RestrictSUIDSGID", "SystemCallArchitectures", "SystemCallFilter",
        "DynamicUser", "SystemCallLog",
    }  # fmt: skip
    unit, drop_in = (settings(DEPLOY / name) for name in ("pyruse.service", "sendmail.conf"))
    assert {name for name in unit if name in implying} == {
        name for name, value in drop_in.items() if value in ("no", "") and name in implying
    }


def settings(file: Path) -> dict[str, str]:
    lines = (line.partition("=") for line in file.read_text().splitlines() if line[:1] != "#")
    return {name: value for name, separator, value in lines if separator}


def test_the_user_and_the_folders_are_made(tmp_path: Path) -> None:
    need(None if os.geteuid() == 0 else "needs root")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/group").write_text("systemd-journal:x:999:\n")
    run("systemd-sysusers", f"--root={tmp_path}", DEPLOY / "pyruse.sysusers")
    user = (tmp_path / "etc/passwd").read_text().split(":")
    assert (user[0], user[5], Path(user[6].strip()).name) == (
        "pyruse", "/var/lib/pyruse", "nologin",
    )  # fmt: skip
    assert "systemd-journal:x:999:pyruse\n" in (tmp_path / "etc/group").read_text()

    run("systemd-tmpfiles", f"--root={tmp_path}", "--create", DEPLOY / "pyruse.tmpfiles")
    state = (tmp_path / "var/lib/pyruse").stat()
    assert (state.st_mode & 0o777, state.st_uid) == (0o750, int(user[2]))
    assert (tmp_path / "etc/pyruse/conf.d").stat().st_mode & 0o777 == 0o755


SCRIPTS = [
    DEPLOY / "bundle.sh", DEPLOY / "files.sh", DEPLOY / "arch/pyruse.install", DEPLOY / "rpm/build",
    *(DEPLOY / "debian" / name for name in ("build", "postinst", "prerm", "postrm")),
]  # fmt: skip


@pytest.mark.parametrize("script", SCRIPTS, ids=lambda file: f"{file.parent.name}/{file.name}")
def test_the_scripts_are_understood(script: Path) -> None:
    run("sh", "-n", script)


_FAULTY = "pyruse: not started, for the configuration, which was there already, has faults"


@pytest.fixture
def configure(tmp_path: Path) -> Callable[..., list[str]]:
    """``configure("2.0", old=…)``: what the script of the Debian package says."""
    programs = ["py3compile", "systemd-sysusers", "systemd-tmpfiles"]
    programs += [f"deb-systemd-{name}" for name in ("helper", "invoke")]
    scripts = dict.fromkeys(programs, "true")
    config = tmp_path / "pyruse.toml"
    text = (DEPLOY / "debian/postinst").read_text()
    text = text.replace("/etc/pyruse/pyruse.toml", str(config))
    (tmp_path / "postinst").write_text(text.replace("/run/systemd/system", str(tmp_path)))

    def said(
        *version: str, old: str | None = None, faulty: bool = False, runs: bool = True
    ) -> list[str]:
        if old is not None:
            config.write_text(old)
        scripts["systemctl"] = "true" if runs else "false"
        made = 'use = ["sshd"]\n[bans]\nnever = ["192.0.2.0/24"]     # besides'
        check = "false" if faulty else "true"
        scripts["pyruse"] = f"[ $1 = check ] && exec {check}; echo '{made}' > {config}"
        for name, script in scripts.items():
            (tmp_path / name).write_text(f"#!/bin/sh\n{script}\n")
            (tmp_path / name).chmod(0o755)
        done = subprocess.run(
            ["sh", tmp_path / "postinst", "configure", *version], text=True, check=True,
            capture_output=True, env={"PATH": f"{tmp_path}:{os.environ['PATH']}"},
        )  # fmt: skip
        return done.stderr.replace(str(config), "FILE").splitlines()

    return said


@pytest.mark.parametrize("version", [(), ("",)])
def test_a_first_installation_tells_what_it_did(
    configure: Callable[..., list[str]], version: tuple[str, ...]
) -> None:
    assert configure(*version) == [
        "pyruse: runs, now and after each boot",
        'pyruse: wrote FILE (never banned: ["192.0.2.0/24"])',
        "pyruse: next: sudo pyruse status, and sudo pyruse test-mail",
    ]


def test_a_first_installation_over_a_configuration_that_is_there(
    configure: Callable[..., list[str]],
) -> None:
    assert configure(old="use = []\n", runs=False) == [
        "pyruse: installed, but it does not run (expected: sudo systemctl start pyruse)",
        "pyruse: reads what was there already: FILE",
        "pyruse: next: sudo pyruse status, and sudo pyruse test-mail",
    ]
    [told] = configure(old="use = 1\n", faulty=True, runs=False)
    assert told.startswith(_FAULTY)


def test_an_upgrade_says_only_what_is_wrong(configure: Callable[..., list[str]]) -> None:
    assert configure("1.9", old="use = []\n") == []
    [told] = configure("1.9", old="use = 1\n", faulty=True)
    assert told.startswith("pyruse: the new release is not started, for it finds faults")


@pytest.mark.parametrize("name", ["debian/prerm", "rpm/pyruse.spec", "arch/pyruse.install"])
def test_who_removes_the_package_hears_how_bans_are_lifted_that_are_left(name: str) -> None:
    _, _, after = (DEPLOY / name).read_text().partition("pyruse bans --teardown >/dev/null ||\n")
    words = " ".join(after.partition(">&2")[0].replace("\\\n", " ").split())
    assert "nft delete table inet pyruse" in words


def test_what_packages_bring_along_is_what_pyruse_needs() -> None:
    pins = dict(re.findall(r"(?m)^([\w-]+)==(\S+)", (DEPLOY / "requirements.txt").read_text()))
    for text in PROJECT["dependencies"]:
        needed = Requirement(text)
        assert needed.specifier.contains(pins[needed.name]), text


def test_every_file_that_is_to_be_put_in_place_is_there() -> None:
    script = (DEPLOY / "files.sh").read_text()
    for pattern in re.findall(r'"\$top"?/([^"\s;]+)', script):
        assert list(ROOT.glob(pattern)), pattern


def test_the_recipe_for_arch_has_the_version_of_today() -> None:
    assert f"\npkgver={PROJECT['version']}\n" in (DEPLOY / "arch/PKGBUILD").read_text()


def test_files_of_a_package_are_not_put_in_place_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    packaged, system = tmp_path / "usr/lib", tmp_path / "etc"
    for name in ("systemd/system/pyruse.service", "sysusers.d/pyruse.conf"):
        (packaged / name).parent.mkdir(parents=True)
        (packaged / name).touch()
    monkeypatch.setattr(service, "_PACKAGED", (packaged,))
    monkeypatch.setattr(service, "_SYSTEM", system)
    monkeypatch.setattr(service, "_run", lambda _command: None)
    monkeypatch.setattr(service, "_program", lambda: "/usr/bin/pyruse")
    told: list[str] = []
    service.install(sendmail=True, ipset=False, tell=told.append)
    written = {str(file.relative_to(system)) for file in system.rglob("*") if file.is_file()}
    assert written == {"tmpfiles.d/pyruse.conf", "systemd/system/pyruse.service.d/sendmail.conf"}
    assert told == [f"{system}/{name}: written" for name in sorted(written, reverse=True)]
    assert service.is_installed()
