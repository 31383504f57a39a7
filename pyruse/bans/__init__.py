"""Bans: who is banned until when, and the firewalls that enforce it."""
