"""What this host does not take from others."""

from __future__ import annotations


class NotTaken(Exception):
    """Something that another host told is not taken over; the text says why."""
