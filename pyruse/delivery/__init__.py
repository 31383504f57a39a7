"""What leaves Pyruse: mails, programs, log lines."""
