"""Offenders, reported to those who collect reports.

`steps` and `xarf` decide, clean, and put things into Pyruse's outbox; `__main__` is the program
that speaks to web services, so the daemon never waits for one. `policy` is who may be reported how
often, `privacy` what may be told, `switch` whether anything is.
"""
