"""What Pyruse remembers: in memory while it works, in SQLite when a batch of entries is done."""
