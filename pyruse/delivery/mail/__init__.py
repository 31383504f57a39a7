"""Mail: composed from the items of the outbox, handed to sendmail or to a mail server."""
