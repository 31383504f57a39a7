"""``pyruse check``."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from pyruse.cli.options import config_option, configuration
from pyruse.cli.stdout import echo
from pyruse.text import printable

if TYPE_CHECKING:
    from pyruse.chains.model import Chain
    from pyruse.chains.pushdown import Wanted


@click.command("check")
@config_option
@click.option("-v", "--verbose", is_flag=True, help="Show how the chains are linked, too.")
@click.argument("file", required=False, type=click.Path(path_type=Path, readable=False))
def command(config: Path | None, verbose: bool, file: Path | None) -> None:
    """Check the configuration: every fault at once, and what is most likely not meant.

    FILE is a file or a folder to check, as with --config.

    Exits with 0 when Pyruse would start with it (warnings may be shown), else with 2.

    \b
    pyruse check -v
    pyruse check new.toml
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.chains.lint import warnings
    from pyruse.config.files import writable_by_others
    from pyruse.config.load import registry_of
    from pyruse.config.named_elsewhere import unknown_names
    from pyruse.config.secrets import secret_faults
    from pyruse.delivery.mail.transport import check as check_mail
    from pyruse.engine.assembly import assemble
    from pyruse.engine.faults import Faults
    from pyruse.engine.modes import DRY
    from pyruse.journal.selection import Selection
    from pyruse.lookups.lookups import ANSWERS_S
    from pyruse.registry.kinds import RULES
    from pyruse.setup.web_logs import unseen_logs
    from pyruse.state.database import State
    from pyruse.system.sandbox import listens, rights_are_kept_from_programs
    from pyruse.text import counted

    if file is not None and config is not None:
        raise click.UsageError("FILE and --config: expected one of them")
    loaded = configuration(file or config)
    with State() as state:
        engine = assemble(loaded, state, Faults(lambda text, *_: _warn(text)), DRY)
        doubts = engine.bans.doubts()
        engine.lookups.settle(ANSWERS_S)
    for warning in (
        *writable_by_others(loaded.files),
        *warnings(loaded.chains),
        *check_mail(
            loaded.settings.email,
            sandboxed=rights_are_kept_from_programs,
            listens=listens,
            archived=loaded.settings.report.archive is not None,
        ),
        *secret_faults(loaded),
        *unknown_names(loaded, registry_of(file or config).names(RULES)),
        *engine.template_faults(),
        *doubts,
        *unseen_logs({rules.name for rules in loaded.used}),
        *Selection.of(loaded.settings.journal).whereabouts.missing(),
    ):
        _warn(warning)
    if verbose:
        _show_links(loaded.chains, loaded.settings.engine.simulates)
        _show_wanted(engine.wanted)
        for one in engine.bans.protected():
            echo(printable(f"never banned: {one.what} ({one.where})"))
    steps = sum(len(chain.steps) for chain in loaded.chains.values())
    files = ", ".join(map(str, loaded.files))
    chains = counted(len(loaded.chains), "chain")
    echo(f"{files}: {chains} with {counted(steps, 'step')}: no faults")


def _warn(text: str) -> None:
    echo(f"warning: {printable(text)}", err=True)


def _show_wanted(wanted: Wanted) -> None:
    """Which entries are read where there are many of them."""
    if wanted:
        texts = [f"{name}={value}" for name, values in wanted.data().items() for value in values]
        only = f"the entries with {' or '.join(texts)} alone"
        echo(printable(f"while catching up, libsystemd hands over {only}"))
    else:
        echo(printable(f"all entries are read: {wanted.reason}"))


def _show_links(chains: Mapping[str, Chain], simulates: Callable[[str], bool]) -> None:
    """How entries get into each chain, and where its steps lead."""
    several = len({chain.source for chain in chains.values()}) > 1
    jumped_to = {jump for chain in chains.values() for step in chain.steps for jump in step.jumps}
    for name, chain in chains.items():
        reached = "reached by jumps" if name in jumped_to else "main sequence"
        source = f"; {chain.source}" if several else ""
        simulated = "; simulated" if simulates(name) else ""
        echo(printable(f"{name} ({reached}{source}{simulated})"))
        for step, exits in chain.exits:
            text = f"  [{step.index}] {'not ' if step.invert else ''}{step.plugin}"
            ways = {"then": exits.passed, "else": exits.failed}
            if step.kind == "action":  # whatever it returns, it leads to one place
                del ways["else"]
            for word, target in ways.items():
                if isinstance(target, str):
                    text += f", {word} → {target}"
            echo(printable(text))
