-- What keeps the tables small, and the sessions short.

-- Removes what is of no use any more: rows that nobody needs, and of these only what nobody else
-- removes just now. `feed_kept`: so long a host may be away and read on where it was.
CREATE OR REPLACE FUNCTION fleet.upkeep(feed_kept interval DEFAULT '7 days') RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp SET lock_timeout = '100ms' AS $$
DECLARE
    over smallint;
    is_used boolean;
BEGIN
    -- The last row stays: by it, hosts see that the database is still the same.
    DELETE FROM fleet.feed WHERE ctid = ANY(ARRAY(SELECT ctid FROM fleet.feed
        WHERE at < clock_timestamp() - feed_kept AND seq < (SELECT max(seq) FROM fleet.feed)
        LIMIT 100000 FOR UPDATE SKIP LOCKED));
    -- A database that was restored by a dump: what its transactions were called elsewhere is over.
    UPDATE fleet.feed SET xid = '3' WHERE ctid = ANY(ARRAY(SELECT ctid FROM fleet.feed
        WHERE xid >= pg_snapshot_xmax(pg_current_snapshot())
        LIMIT 100000 FOR UPDATE SKIP LOCKED));
    DELETE FROM fleet.bans WHERE ctid = ANY(ARRAY(SELECT ctid FROM fleet.bans
        WHERE until < clock_timestamp() LIMIT 100000 FOR UPDATE SKIP LOCKED));
    DELETE FROM fleet.parcels WHERE ctid = ANY(ARRAY(SELECT ctid FROM fleet.parcels
        WHERE at < clock_timestamp() - interval '16 days' LIMIT 1000000 FOR UPDATE SKIP LOCKED));
    DELETE FROM fleet.reports WHERE ctid = ANY(ARRAY(SELECT ctid FROM fleet.reports
        WHERE day < fleet.today() - 400 LIMIT 10000 FOR UPDATE SKIP LOCKED));
    DELETE FROM fleet.mailed WHERE ctid = ANY(ARRAY(SELECT ctid FROM fleet.mailed
        WHERE day < fleet.today() - 400 LIMIT 10000 FOR UPDATE SKIP LOCKED));
    DELETE FROM fleet.usage WHERE ctid = ANY(ARRAY(SELECT ctid FROM fleet.usage
        WHERE day < fleet.today() - 30 LIMIT 100000 FOR UPDATE SKIP LOCKED));
    -- The partitions of the day before yesterday, and of the day before that: they are used again in
    -- two days at the earliest, so nobody waits for them.
    FOR over IN SELECT fleet.slot(clock_timestamp() - ago * interval '1 day') FROM generate_series(2, 3) AS ago LOOP
        BEGIN
            EXECUTE format('SELECT EXISTS (SELECT FROM fleet.counts_%s)', over) INTO is_used;
            IF is_used THEN
                EXECUTE format('TRUNCATE fleet.counts_%s', over);
            END IF;
        EXCEPTION WHEN lock_not_available THEN
            NULL;  -- the next hour
        END;
    END LOOP;
END $$;

-- Does that for all, about once an hour; each host calls it now and then.
CREATE OR REPLACE FUNCTION fleet.keep_up() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    IF EXISTS (SELECT FROM fleet.hosts WHERE upkeep_at > clock_timestamp() - interval '1 hour') THEN
        RETURN false;
    END IF;
    UPDATE fleet.hosts SET upkeep_at = clock_timestamp() WHERE id = me;
    PERFORM fleet.upkeep();
    RETURN true;
END $$;

-- The sessions of hosts that harm the database: a transaction that is a minute old keeps it from
-- cleaning up; advisory locks, of which Pyruse takes none, use up its memory for locks; and who listens
-- and does not take his hints lets them pile up for all. The owner sees that by pg_read_all_stats.
CREATE OR REPLACE VIEW fleet.bad_sessions AS
    SELECT pid, hosts.name, why FROM (
        SELECT pid, usename, CASE
            WHEN clock_timestamp() - xact_start > interval '1 minute' THEN 'has left a transaction open'
            WHEN clock_timestamp() - state_change > interval '1 minute' AND wait_event = 'ClientWrite'
                THEN 'does not take its hints'
            WHEN pid IN (SELECT pid FROM pg_locks WHERE locktype = 'advisory') THEN 'holds advisory locks'
            END AS why
        FROM pg_stat_activity WHERE datname = current_database()
    ) AS session JOIN fleet.hosts ON role = usename
    WHERE why IS NOT NULL;

-- Ends them; gives how many. The owner needs pg_signal_backend for it.
CREATE OR REPLACE FUNCTION fleet.watch() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE ended int;
BEGIN
    IF NOT pg_has_role('pg_signal_backend', 'USAGE') THEN
        RETURN 0;
    END IF;
    SELECT count(pg_terminate_backend(pid)) INTO ended FROM fleet.bad_sessions WHERE pid <> pg_backend_pid();
    RETURN ended;
END $$;

-- The same, for hosts of an earlier version, which call it when they wait for a lock.
CREATE OR REPLACE FUNCTION fleet.release() RETURNS int
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    SELECT CASE WHEN fleet.be_host() IS NOT NULL THEN fleet.watch() END
$$;
