"""Putting Pyruse on a machine: what is there, the first configuration, the service."""
