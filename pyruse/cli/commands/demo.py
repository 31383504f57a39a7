"""``pyruse demo``."""

from __future__ import annotations

import lzma
import tempfile
from importlib.resources import as_file, files
from pathlib import Path

import click

from pyruse.cli.stdout import echo


@click.command("demo")
@click.option("-o", "--output", type=click.Path(path_type=Path), default="pyruse-demo.html",
              show_default=True, help="Where the report goes as HTML.")  # fmt: skip
@click.option("--full", is_flag=True, help="The report event by event: nothing is cut.")
@click.option("--show-config", is_flag=True, help="Print the demo's configuration instead.")
def command(output: Path, full: bool, show_config: bool) -> None:
    """Show what Pyruse does, on a sample journal: a day of a small server, with an attack in it.

    A dry run: nothing is mailed, banned, run or logged on this machine.

    \b
    pyruse demo -o /tmp/report.html
    """  # noqa: D301 -- click takes this one character for "as it stands"
    from pyruse.cli.commands.replay import show_outcome
    from pyruse.cli.output import progress, show_verdict
    from pyruse.config.load import load
    from pyruse.engine.faults import Faults
    from pyruse.entry.decoding import Decoder
    from pyruse.errors import UserError
    from pyruse.journal.selection import Selection
    from pyruse.registry.registry import Registry
    from pyruse.replay.replay import replay

    resources = files("pyruse") / "demo"
    with as_file(resources / "demo.toml") as config, tempfile.TemporaryDirectory() as folder:
        if show_config:
            echo(config.read_text(), nl=False)
            return
        journal = Path(folder) / "day.journal"
        journal.write_bytes(lzma.decompress((resources / "day.journal.xz").read_bytes()))
        chosen = Selection(files=[journal])
        with progress(chosen.span(Decoder())) as tell:
            outcome = replay(load(config, Registry()), chosen, Faults(lambda *_: None), tell)
    show_outcome(outcome, full=full)
    try:
        output.write_text(outcome.render("html"), encoding="utf-8")
    except OSError as fault:
        raise UserError(
            f"{output}: cannot be written: {fault.strerror} (expected a place for the report; "
            "another one is chosen with -o FILE)"
        ) from None
    echo(f"\nThe report as HTML: {output.absolute()}")
    echo("The configuration:  pyruse demo --show-config\n")
    show_verdict(outcome.report)
