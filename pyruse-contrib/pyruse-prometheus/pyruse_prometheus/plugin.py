"""The plugin: an endpoint of HTTP, and a file for node_exporter, for as long as Pyruse runs."""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

from prometheus_client import CollectorRegistry, ProcessCollector

from pyruse import Context, Duration, Observer, hookimpl
from pyruse_prometheus.collector import PyruseCollector
from pyruse_prometheus.endpoint import Endpoint
from pyruse_prometheus.textfile import Textfile

_LARGEST_PORT = 65_535


@dataclass
class Prometheus:
    """Show what goes on to Prometheus: entries, chains, bans, counters, lag, outbox, faults.

    By default at `http://127.0.0.1:9758/metrics`; and in a file for the textfile collector of
    node_exporter, where there is one. Numbers are looked up when they are asked for, and never in
    a dry run.

    ```toml
    [plugins.prometheus]
    port = 9758
    ```
    """

    address: str = "127.0.0.1"
    """The address to listen at. Whoever can reach it can read the metrics."""
    port: int = 9758
    """The port to listen at; 0: none."""
    textfile: Path | None = None
    """A file to write, such as `/var/lib/prometheus/node-exporter/pyruse.prom`."""
    every: Duration = field(default_factory=lambda: Duration(minutes=1))
    """How often the file is written."""

    def __post_init__(self) -> None:
        if not 0 <= self.port <= _LARGEST_PORT:
            raise ValueError(f"port = {self.port} is no port (expected 1 to 65535, or 0 for none)")
        if self.textfile is not None and self.textfile.suffix != ".prom":
            raise ValueError(
                f'textfile = "{self.textfile}" would not be read (expected a name that ends with '
                '".prom")'
            )
        self._running = ExitStack()

    @hookimpl
    def on_start(self, context: Context) -> None:
        """Listen, and write the file for the first time.

        :raises ValueError: the port is taken, or the file cannot be written.
        """
        if context.observer is None:  # a dry run: there is nothing to be seen
            return
        metrics = registry(context.observer)
        faults = []
        for start in (self._listen, self._write):
            try:
                start(metrics)
            except ValueError as fault:  # one of the two may work all the same
                faults.append(str(fault))
        if faults:
            raise ValueError("; ".join(faults))

    def _listen(self, metrics: CollectorRegistry) -> None:
        if self.port:
            endpoint = Endpoint(self.address, self.port, metrics)
            self._running.callback(endpoint.close)

    def _write(self, metrics: CollectorRegistry) -> None:
        if self.textfile is not None:
            textfile = Textfile(self.textfile, self.every.total_seconds(), metrics)
            self._running.callback(textfile.close)

    @hookimpl
    def on_stop(self) -> None:
        """Listen no more, and remove the file: what is out of date misleads."""
        self._running.close()


def registry(observer: Observer) -> CollectorRegistry:
    """All the metrics: Pyruse's, and the standard ones of its process."""
    metrics = CollectorRegistry()
    metrics.register(PyruseCollector(observer))
    ProcessCollector(registry=metrics)
    return metrics
