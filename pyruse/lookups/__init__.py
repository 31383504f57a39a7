"""What lists of networks stand for that changes: the addresses of host names, and files.

One owner for all lists of a configuration, `[bans] never` and those of steps: `lookups.Lookups`.
Nothing here is waited for by the main loop: threads ask and read, and their answers are taken in
between two batches.
"""
