-- From here on, what a host's transaction holds is what no other host waits for: it writes rows of
-- its own alone, and takes no lock that others take. The functions are made by functions/*.sql.

DO $$
DECLARE one regprocedure;
BEGIN
    FOR one IN SELECT oid FROM pg_proc WHERE pronamespace = 'fleet'::regnamespace AND proname IN (
        'be_host', 'is_new', 'lock_feed', 'tell', 'tell_unban', 'be_seen', 'lift', 'count_up', 'spread',
        'report', 'hold', 'due_report', 'has_mailed', 'upkeep', 'release', 'keep_up')
    LOOP
        EXECUTE format('DROP FUNCTION %s', one);
    END LOOP;
END $$;

-- The feed's numbers come in no order of their own: who reads it remembers which transactions it has
-- seen (see fleet.news).
ALTER TABLE fleet.feed ADD COLUMN xid xid8 NOT NULL DEFAULT pg_current_xact_id();
CREATE INDEX feed_by_xid ON fleet.feed (xid);

-- What a host has written on a day, in UTC: what it may write is in fleet.limits.
CREATE TABLE fleet.usage (
    host int NOT NULL,
    day date NOT NULL,
    told int NOT NULL DEFAULT 0,                          -- rows of the feed about bans
    counted int NOT NULL DEFAULT 0,                       -- rows of the feed about counts
    rows int NOT NULL DEFAULT 0,                          -- rows of all tables
    bytes bigint NOT NULL DEFAULT 0,
    refused bigint NOT NULL DEFAULT 0,                    -- rows that were beyond its limits
    PRIMARY KEY (host, day)
);

-- Counts are in partitions that are there for good, by the day on which they end: nobody has to make
-- or drop one, which would make all others wait. One that is over is emptied.
CREATE TABLE fleet.counts_before AS SELECT * FROM fleet.counts WHERE until > clock_timestamp();
DROP TABLE fleet.counts;
CREATE TABLE fleet.counts (
    slot smallint NOT NULL,                               -- see fleet.slot
    counter text NOT NULL CHECK (length(counter) <= 200),
    key text NOT NULL CHECK (length(key) <= 1000),
    until timestamptz NOT NULL,
    host int NOT NULL,
    number bigint NOT NULL,
    told bigint NOT NULL DEFAULT 0,                       -- so much of it is in the feed
    PRIMARY KEY (counter, key, host, until, slot)
) PARTITION BY LIST (slot);
DO $$ BEGIN
    FOR slot IN 0..11 LOOP
        EXECUTE format('CREATE TABLE fleet.counts_%s PARTITION OF fleet.counts FOR VALUES IN (%s)', slot, slot);
    END LOOP;
END $$;
INSERT INTO fleet.counts (slot, counter, key, until, host, number, told)
    SELECT floor(extract(epoch FROM until) / 86400)::int % 12, counter, key, until, host, number, told
    FROM fleet.counts_before;
DROP TABLE fleet.counts_before;

-- Who may mail the fleet's report, until when; and each host's own notes about the report of a day.
DROP TABLE fleet.roles;
ALTER TABLE fleet.hosts ADD COLUMN mails_until timestamptz;
ALTER TABLE fleet.mailed DROP CONSTRAINT mailed_pkey;
ALTER TABLE fleet.mailed ADD PRIMARY KEY (day, host);
ALTER TABLE fleet.mailed ADD COLUMN claimed timestamptz;  -- it is about to mail it
ALTER TABLE fleet.mailed ADD COLUMN sending timestamptz;  -- it mails it
UPDATE fleet.mailed SET claimed = at, sending = at;

-- When a host has last kept the tables small.
DROP TABLE fleet.upkeep_done;
ALTER TABLE fleet.hosts ADD COLUMN upkeep_at timestamptz;
