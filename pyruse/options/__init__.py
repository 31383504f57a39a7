"""The types of options, and from a table of the configuration to an object."""
