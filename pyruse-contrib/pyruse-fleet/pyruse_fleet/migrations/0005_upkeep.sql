-- What keeps the tables small, and the feed open.

-- Makes the partitions of the next days, and removes what is of no use any more; each host calls it
-- now and then, and one call an hour does something.
CREATE TABLE fleet.upkeep_done (
    single boolean PRIMARY KEY DEFAULT true CHECK (single), at timestamptz NOT NULL);

CREATE FUNCTION fleet.upkeep(feed_kept interval DEFAULT '7 days') RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp SET lock_timeout = '2s' AS $$
DECLARE
    begins date;
    part record;
BEGIN
    IF NOT pg_try_advisory_xact_lock(20260314, 2) THEN
        RETURN false;
    END IF;
    INSERT INTO fleet.upkeep_done (at) VALUES (clock_timestamp())
        ON CONFLICT (single) DO UPDATE SET at = clock_timestamp()
            WHERE upkeep_done.at < clock_timestamp() - interval '1 hour';
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    DELETE FROM fleet.counts_other WHERE until < clock_timestamp();
    FOR ahead IN 0..8 LOOP
        begins := (clock_timestamp() AT TIME ZONE 'UTC')::date + ahead;
        BEGIN
            EXECUTE format(
                'CREATE TABLE IF NOT EXISTS fleet.%I PARTITION OF fleet.counts
                    FOR VALUES FROM (%L) TO (%L)',
                'counts_' || to_char(begins, 'YYYYMMDD'),
                begins || ' 00:00:00+00', (begins + 1) || ' 00:00:00+00');
        EXCEPTION WHEN check_violation OR lock_not_available THEN
            NULL;  -- rows of that day are in counts_other: they count there
        END;
    END LOOP;
    FOR part IN SELECT inhrelid::regclass AS name FROM pg_inherits
        WHERE inhparent = 'fleet.counts'::regclass
            AND inhrelid::regclass::text ~ '^(fleet\.)?counts_[0-9]{8}$'
            AND right(inhrelid::regclass::text, 8)
                < to_char((clock_timestamp() AT TIME ZONE 'UTC')::date, 'YYYYMMDD')
    LOOP
        BEGIN
            EXECUTE format('DROP TABLE %s', part.name);
        EXCEPTION WHEN lock_not_available THEN
            NULL;  -- the next hour
        END;
    END LOOP;
    -- The last row stays: by it, hosts see that the database is still the same.
    DELETE FROM fleet.feed WHERE at < clock_timestamp() - feed_kept
        AND seq < (SELECT max(seq) FROM fleet.feed);
    DELETE FROM fleet.bans WHERE until < clock_timestamp();
    DELETE FROM fleet.parcels WHERE at < clock_timestamp() - interval '60 days';
    DELETE FROM fleet.reports WHERE day < current_date - 400;
    RETURN true;
END $$;

-- Ends the sessions that have held the feed's lock for five seconds: a host that leaves a transaction
-- open there, by mistake or on purpose, would keep all others from telling anything. Gives how many.
-- The owner needs pg_signal_backend and pg_read_all_stats for it; `pyruse-fleet init` tells.
CREATE FUNCTION fleet.release() RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    me int := fleet.be_host();
    ended int;
BEGIN
    SELECT count(pg_terminate_backend(activity.pid)) INTO ended
        FROM pg_locks AS held JOIN pg_stat_activity AS activity USING (pid)
        WHERE held.locktype = 'advisory' AND held.granted
            AND (held.classid, held.objid) = (20260314, 1)
            AND activity.datname = current_database()
            AND coalesce(activity.xact_start, activity.query_start)
                < clock_timestamp() - interval '5 seconds';
    RETURN ended;
END $$;
