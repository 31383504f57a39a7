"""Bans, by question.

Who (`in_force`), how long (`length`), who else (`growth`), who never (`protection`), what a
firewall has yet to take (`firewalls.pending`); `service` is what the rest of Pyruse asks.

Two times meet here. The time of the entry (``at``) *decides*: when a ban begins and ends, and which
ban of this network it is. So a replay decides as the daemon did, and catching up bans nobody for
longer than intended. The machine's clock (``now``) *carries out*: how many seconds are left for the
kernel, when something is tried again, and what a new configuration spares, as that has no entry.
The time of entries tells when a ban is over while older entries are left to read; the clock does
once all are read: then both times are the same.
"""
