"""The machine around Pyruse: programs, threads, privileges, the service manager, the log."""
