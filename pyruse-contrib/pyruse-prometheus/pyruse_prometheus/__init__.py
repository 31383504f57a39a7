"""What goes on in Pyruse, as metrics for Prometheus."""

from pyruse_prometheus.plugin import Prometheus

__all__ = ["Prometheus"]
