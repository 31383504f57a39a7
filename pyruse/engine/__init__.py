"""A configuration at work: steps are linked, plugins listen, entries travel."""
