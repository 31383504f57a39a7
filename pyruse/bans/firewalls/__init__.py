"""Keeping firewalls in line with the bans in force."""
