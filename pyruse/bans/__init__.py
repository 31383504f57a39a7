"""Bans, by question.

Who (`in_force`), how long (`length`), who else (`growth`), who never (`protection`), what a
firewall has yet to take (`pending`); `service` is what the rest of Pyruse asks.

Two times meet here. A ban is *decided* by the time of what led to it (``at``): its beginning, its
end, and which ban of this network it is. So a replay decides as the daemon did, and who catches up
bans nobody for longer than intended. A ban is *carried out* by the machine's clock (``now``): the
seconds that are left for the kernel, what is tried again when, and what a new configuration
spares, as that has no entry. A ban's end is noticed by the time of the entries while there are
older ones to read, and by the clock once all are read: then the two are the same.
"""
