"""How Pyruse is doing: what the daemon counts, the whole of it, and a look for plugins' threads."""
