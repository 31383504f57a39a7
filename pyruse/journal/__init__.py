"""The systemd journal: which one is read, from where to where, and its entries."""
