"""Configurations of other programs, turned into Pyruse's."""
