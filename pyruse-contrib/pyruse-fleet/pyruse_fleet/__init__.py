"""Bans, counters and one report, shared by many machines over PostgreSQL.

`plugin` is what Pyruse loads; its hooks run in the main thread and never wait. `link` is the thread
that has the connection. Between them: `wire` (what goes over it), `taking` (what comes), `counting`
and `audit` (what this host tells). `schema`, `hosts` and `cli` are for the administrator.
"""
