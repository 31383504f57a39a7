"""The files with secrets that options name, looked at before they are needed."""

from __future__ import annotations

from pyruse.config.load import Configuration
from pyruse.config.values import addressed
from pyruse.options.secret_file import SecretFile


def secret_faults(configuration: Configuration) -> list[str]:
    """Which secrets of steps and plugins cannot be read by who asks, and why; one line each.

    That is no error of the configuration, and no reason not to start: who asks may be another user
    than Pyruse's, a credential is there as long as its service runs, and nobody is to be without
    bans because the key for something else is gone. (The password for the mail server is looked at
    with the rest of the mail: `pyruse.delivery.mail.transport.check`.)
    """
    return [
        f"{address}: {fault}"
        for address, file in addressed(configuration, SecretFile)
        if (fault := _fault_of(file)) is not None
    ]


def _fault_of(file: SecretFile) -> str | None:
    try:
        file.read()
    except ValueError as fault:
        return str(fault)
    except Exception as fault:  # noqa: BLE001 -- a type of a plugin's own: its text may tell too much
        return f"{type(fault).__name__} (expected a working plugin: upgrade or remove it)"
    return None
