"""From the schema of an older Pyruse to today's."""

from __future__ import annotations

import sqlite3

VERSION = 19
"""Of the schema (SQLite's ``PRAGMA user_version``); a change of any table is a new one."""

_STEPS = {
    2: """
        ALTER TABLE bans RENAME TO bans_1;
        CREATE TABLE bans (
            network TEXT NOT NULL, target BLOB NOT NULL, grown INTEGER NOT NULL,
            label TEXT NOT NULL, chain TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL,
            until INTEGER, level INTEGER NOT NULL, state TEXT NOT NULL,
            PRIMARY KEY (network, target, grown)
        ) WITHOUT ROWID;
        INSERT INTO bans SELECT network, target, 0, label, '', reason, since, until, level, state
            FROM bans_1;
        DROP TABLE bans_1;

        CREATE TABLE offenders (
            network TEXT NOT NULL, target BLOB NOT NULL, bans INTEGER NOT NULL, ended INTEGER,
            forget INTEGER NOT NULL, PRIMARY KEY (network, target)
        ) WITHOUT ROWID;
        -- The history has single addresses without their prefix length.
        INSERT INTO offenders
            SELECT CASE WHEN instr(network, '/') THEN network
                        WHEN instr(network, ':') THEN network || '/128'
                        ELSE network || '/32' END,
                   target, max(level) + 1,
                   CASE WHEN count(until) = count(*) THEN max(until) END, 7776000000000
            FROM ban_history GROUP BY network, target;

        ALTER TABLE ban_history RENAME TO ban_history_1;
        CREATE TABLE ban_history (
            time INTEGER NOT NULL, network TEXT NOT NULL, target BLOB NOT NULL, label TEXT NOT NULL,
            chain TEXT NOT NULL, reason TEXT NOT NULL, since INTEGER NOT NULL, until INTEGER,
            level INTEGER NOT NULL
        );
        INSERT INTO ban_history
            SELECT time, network, target, label, '', reason,
                   min(time) OVER (PARTITION BY network, target, level), until, level
            FROM ban_history_1 ORDER BY ban_history_1.rowid;
        DROP TABLE ban_history_1;
    """,
    3: """
        -- Single addresses without their prefix length, as the history has them.
        UPDATE bans SET network = substr(network, 1, length(network) - 3)
            WHERE network LIKE '%/32' AND NOT instr(network, ':');
        UPDATE bans SET network = substr(network, 1, length(network) - 4)
            WHERE network LIKE '%/128';
        UPDATE offenders SET network = substr(network, 1, length(network) - 3)
            WHERE network LIKE '%/32' AND NOT instr(network, ':');
        UPDATE offenders SET network = substr(network, 1, length(network) - 4)
            WHERE network LIKE '%/128';
    """,
    4: """
        -- A cursor for each machine, where there was one for all of them.
        CREATE TABLE positions (
            machine TEXT PRIMARY KEY, cursor TEXT NOT NULL, time INTEGER NOT NULL
        ) WITHOUT ROWID;
        INSERT INTO positions SELECT '*', cursor, time FROM cursor;
        DROP TABLE cursor;
    """,
    5: "",
    6: "",
    7: "",
    8: """
        -- Numbered in the order in which they were put, which was not kept before.
        CREATE TABLE remembered (
            number INTEGER PRIMARY KEY,
            name TEXT NOT NULL, key TEXT NOT NULL, value BLOB NOT NULL, until INTEGER,
            UNIQUE (name, key)
        );
        INSERT INTO remembered (name, key, value, until)
            SELECT name, key, value, until FROM plugin_tables ORDER BY until IS NULL, until;
        DROP TABLE plugin_tables;
    """,
    9: "",
    10: """
        -- Why the firewall has refused a ban.
        ALTER TABLE bans ADD COLUMN fault TEXT;
    """,
    11: "ALTER TABLE events ADD COLUMN step TEXT;",
    12: "",
    13: """
        -- How often each event came on a day, whatever it was about.
        CREATE TABLE IF NOT EXISTS tallies (
            day TEXT NOT NULL, event TEXT NOT NULL, host TEXT NOT NULL, fields TEXT NOT NULL,
            count INTEGER NOT NULL, amount INTEGER NOT NULL, first INTEGER NOT NULL,
            last INTEGER NOT NULL, PRIMARY KEY (day, event, host, fields)
        ) WITHOUT ROWID;
        CREATE TABLE tally_totals (
            day TEXT NOT NULL, event TEXT NOT NULL, host TEXT NOT NULL, count INTEGER NOT NULL,
            amount INTEGER NOT NULL, PRIMARY KEY (day, event, host)
        ) WITHOUT ROWID;
        INSERT INTO tally_totals
            SELECT day, event, host, sum(count), min(sum(amount), 9007199254740991)
            FROM tallies GROUP BY day, event, host;
    """,
    14: """
        -- What an event is about; of those that are filed already, nothing is known.
        ALTER TABLE events ADD COLUMN kind INTEGER;
        ALTER TABLE events ADD COLUMN program TEXT;
        ALTER TABLE events ADD COLUMN level INTEGER;
        ALTER TABLE events ADD COLUMN event TEXT;
        ALTER TABLE events ADD COLUMN cause TEXT;
    """,
    15: """
        ALTER TABLE events ADD COLUMN weight INTEGER;
        ALTER TABLE events ADD COLUMN quote TEXT;
    """,
    16: "",
    17: """
        -- Made while it is needed: what counts for a time is found by when it expires.
        DROP INDEX IF EXISTS counts_by_key;
    """,
    18: """
        -- When an item failed first; of those that failed already, it is not known.
        ALTER TABLE outbox ADD COLUMN tried INTEGER;
    """,
    19: """
        -- What many events have in common is written once, as their head.
        ALTER TABLE events RENAME TO events_18;
        CREATE INDEX IF NOT EXISTS events_by_day ON events_18 (day, section);
        CREATE TABLE event_heads (
            id INTEGER PRIMARY KEY, day TEXT NOT NULL, section TEXT NOT NULL,
            details TEXT NOT NULL, step TEXT, host TEXT, kind INTEGER, program TEXT, level INTEGER,
            event TEXT, cause TEXT, weight INTEGER
        );
        CREATE TABLE event_texts (
            id INTEGER PRIMARY KEY, head INTEGER NOT NULL, time INTEGER NOT NULL,
            message TEXT NOT NULL, quote TEXT
        );
        CREATE TABLE event_ranges (
            first INTEGER PRIMARY KEY, last INTEGER NOT NULL, day TEXT NOT NULL,
            section TEXT NOT NULL
        );
        INSERT INTO event_heads
            SELECT DISTINCT NULL, day, section, details, step, host, kind, program, level, event,
                            cause, weight FROM events_18;
        CREATE INDEX event_heads_18 ON event_heads (
            day, section, kind, program, level, cause, step, host, details, event, weight
        );
        -- In the order of the index: nothing is sorted, which would take minutes after a flood.
        INSERT INTO event_texts (head, time, message, quote)
            SELECT head.id, old.time, old.message, old.quote
            FROM events_18 AS old INDEXED BY events_by_day
            CROSS JOIN event_heads AS head INDEXED BY event_heads_18
                ON head.day = old.day AND head.section = old.section AND head.kind IS old.kind
                AND head.program IS old.program AND head.level IS old.level
                AND head.cause IS old.cause AND head.step IS old.step AND head.host IS old.host
                AND head.details = old.details AND head.event IS old.event
                AND head.weight IS old.weight
            ORDER BY old.day, old.section, old.rowid;
        INSERT INTO event_ranges
            SELECT min(text.id), max(text.id), day, section
            FROM event_texts AS text JOIN event_heads AS head ON head.id = text.head
            GROUP BY day, section;
        DROP INDEX event_heads_18;
        DROP TABLE events_18;
    """,
}
"""What leads to each version from the one before, besides making the tables that are new."""


def migrate(db: sqlite3.Connection, version: int, schema: str, application_id: int) -> None:
    """Bring a database up to date, or make all of an empty one, in one transaction.

    :param db: the database.
    :param version: the version that it has; 0: it is empty.
    :param schema: makes the tables of today that are not there.
    :param application_id: marks the database as Pyruse's.
    :raises sqlite3.Error: it failed, and nothing has changed.
    """
    steps = "".join(_STEPS[step] for step in range(version + 1, VERSION + 1)) if version else ""
    try:
        db.executescript(
            f"""BEGIN IMMEDIATE;
            {steps}
            {schema}
            PRAGMA application_id = {application_id};
            PRAGMA user_version = {VERSION};
            COMMIT;"""
        )
    except BaseException:
        if db.in_transaction:
            db.execute("ROLLBACK")
        raise
