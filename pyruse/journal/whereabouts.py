"""Where journal files are: of this machine, of its namespaces, of a folder, or named one by one."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path

from msgspec import Struct, field

from pyruse.errors import did_you_mean
from pyruse.journal import files as journal_files
from pyruse.journal.files import JournalFile

_ROOTS = ("/run/log/journal", "/var/log/journal")
"""In the order in which journalctl opens them (see `pyruse.journal.files`)."""
_MACHINE_ID = Path("/etc/machine-id")


class Whereabouts(Struct):
    """Where to look for files, now and later: machine-id(5), systemd-journald.service(8)."""

    directory: Path | None = None
    """A folder, with the folders of machines in it; None: this machine's."""
    paths: Sequence[Path] = ()
    """Files, one by one."""
    namespaces: Sequence[str] = field(default_factory=list)
    """Of this machine's: names, ``*`` for all of them, none for the default one."""

    def files(self) -> dict[str, list[JournalFile]]:
        """The files that there are, by machine.

        :raises OSError: no descriptor is left to look for them.
        """
        if self.paths:
            found = journal_files.named(self.paths)
        elif self.directory is not None:
            found = journal_files.look(str(self.directory), below=True)
        else:
            found = [file for folder in self._own() for file in journal_files.look(folder)]
        by_machine: dict[str, list[JournalFile]] = {}
        for file in found:
            by_machine.setdefault(file.machine, []).append(file)
        return dict(sorted(by_machine.items()))

    def files_of(self, machine: str) -> list[JournalFile]:
        """The files of one machine that there are."""
        return self.files().get(machine, [])

    def machine_of(self, folder: str, name: str) -> str | None:
        """Whose a file of a watched folder is; None: it is no journal file, or not chosen."""
        if self.paths:
            found = journal_files.named([Path(folder, name) if name else Path(folder)])
            return found[0].machine if found else None
        return journal_files.machine_of(folder, name)

    def folders(self) -> tuple[list[str], list[str], list[str]]:
        """What to watch: folders with files, folders in which those may come, single files."""
        if self.paths:
            return [], sorted({str(path.parent) for path in self.paths}), list(map(str, self.paths))
        if self.directory is not None:
            folder = str(self.directory)
            return [folder, *sorted(_machines_in(folder))], [], []
        return self._own(), list(_ROOTS), []

    def missing(self) -> list[str]:
        """What was chosen and is not there: one line each."""
        if self.paths:
            return [
                f"{path}: no such file (expected a journal file; it is read once it is there)"
                for path in self.paths
                if not path.exists()
            ]
        if self.directory is not None:
            if self.directory.is_dir():
                return []
            return [
                f"{self.directory}: no such folder (expected a folder with journal files; they are "
                "read once they are there)"
            ]
        return [
            f"journal namespace {name}: nothing was logged in it (expected the LogNamespace= of a "
            f"unit; it is read once it is there{did_you_mean(name, self.namespaces_here())})"
            for name in self.namespaces
            if name != "*" and not any(map(os.path.isdir, self._of(name)))
        ]

    def has_namespaces(self) -> bool:
        """Whether there is a folder of at least one of the namespaces."""
        return any(
            name == "*" or any(map(os.path.isdir, self._of(name))) for name in self.namespaces
        )

    def namespaces_here(self) -> list[str]:
        """The namespaces that this machine has."""
        names = (os.path.basename(folder).partition(".") for folder in self._of("*"))
        return list(dict.fromkeys(namespace for _, _, namespace in names if namespace))

    def _own(self) -> list[str]:
        """The folders of this machine that are chosen, whether they are there or not."""
        names = self.namespaces or [""]
        folders: dict[str, None] = {}
        for name in names:
            folders.update(dict.fromkeys(self._of(name)))
        return list(folders)

    def _of(self, namespace: str) -> list[str]:
        own = machine_id()
        if namespace != "*":
            name = f"{own}.{namespace}" if namespace else own
            return [f"{root}/{name}" for root in _ROOTS]
        found = [
            folder
            for root in _ROOTS
            for folder in sorted(_machines_in(root))
            if os.path.basename(folder).partition(".")[0] == own
        ]
        return list(dict.fromkeys([*self._of(""), *found]))


def machine_id() -> str:
    """This machine's ID (machine-id(5)); empty where it has none."""
    try:
        return _MACHINE_ID.read_text().strip()
    except OSError:
        return ""


def _machines_in(folder: str) -> list[str]:
    names = journal_files.names_in(folder)
    return [os.path.join(folder, name) for name in names if journal_files.is_machines(name)]
