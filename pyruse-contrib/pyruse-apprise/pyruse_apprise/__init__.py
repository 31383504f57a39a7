"""Notifications of Pyruse, sent by Apprise.

`plugin` is what Pyruse loads: it only puts things into Pyruse's outbox. `__main__` is the program
that sends them, so the daemon never loads Apprise, and never waits for a web service.
"""
