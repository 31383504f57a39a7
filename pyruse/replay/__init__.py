"""A dry run over past entries."""
