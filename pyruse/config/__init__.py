"""The configuration: files, sections, steps; read once, with all faults at once."""
