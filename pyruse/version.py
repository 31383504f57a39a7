"""Pyruse's version, as pyproject.toml has it: to look it up in the metadata takes 25 ms."""

VERSION = "2.0.0a1"
