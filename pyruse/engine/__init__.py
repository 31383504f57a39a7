"""A configuration at work."""
