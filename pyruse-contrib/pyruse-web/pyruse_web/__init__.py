"""A page that shows what goes on in Pyruse, and changes nothing."""

from pyruse_web.plugin import Web

__all__ = ["Web"]
