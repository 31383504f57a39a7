"""Offenders, reported to those who collect reports.

`steps` and `xarf` decide, clean, and put things into Pyruse's outbox; `web` speaks to web services
when a report leaves, so no entry ever waits for one. `policy` is who may be reported how often,
`privacy` what may be told, `switch` whether anything is.
"""
