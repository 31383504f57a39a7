-- What keeps the tables small, and the sessions short.

-- Removes what is of no use any more: of one host, and of those that were not there for two days; NULL:
-- of all, for the owner. So no host's transaction keeps the rows of others from being removed.
CREATE OR REPLACE FUNCTION fleet.remove_old(of_host int) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    one record;
    there CONSTANT int[] := ARRAY(SELECT id FROM fleet.hosts
        WHERE of_host IS NOT NULL AND id <> of_host AND removed IS NULL
            AND seen > clock_timestamp() - interval '2 days');
BEGIN
    FOR one IN SELECT * FROM (VALUES
        -- The last row stays: by it, hosts see that the database is still the same.
        ('feed', $of$ at < clock_timestamp() - interval '7 days' AND seq < (SELECT max(seq) FROM fleet.feed) $of$),
        ('bans', $of$ until < clock_timestamp() $of$),
        ('parcels', $of$ at < clock_timestamp() - interval '16 days' $of$),
        ('reports', $of$ day < fleet.today() - 400 $of$),
        ('mailed', $of$ day < fleet.today() - 400 $of$),
        ('usage', $of$ day < fleet.today() - 30 $of$)) AS tables (name, is_old)
    LOOP
        EXECUTE format('DELETE FROM fleet.%I WHERE ctid = ANY(ARRAY(SELECT ctid FROM fleet.%I
            WHERE %s AND host <> ALL($1) LIMIT 100000 FOR UPDATE SKIP LOCKED))', one.name, one.name, one.is_old)
            USING there;
    END LOOP;
END $$;

-- Empties the partitions of counts of the day before yesterday, and of the day before that: they are used
-- again in two days at the earliest, so nobody needs them. A host that sits on one for a second is ended.
CREATE OR REPLACE FUNCTION fleet.empty_slots() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp SET lock_timeout = '5s' AS $$
DECLARE
    over regclass;
    is_used boolean;
BEGIN
    FOR over IN SELECT format('fleet.counts_%s', fleet.slot(clock_timestamp() - ago * interval '1 day'))
        FROM generate_series(2, 3) AS ago
    LOOP
        IF pg_has_role('pg_signal_backend', 'USAGE') THEN
            PERFORM pg_terminate_backend(pid)
                FROM pg_locks JOIN pg_stat_activity USING (pid) JOIN fleet.hosts ON role = usename
                WHERE relation = over AND pid <> pg_backend_pid()
                    AND xact_start < clock_timestamp() - interval '1 second';
        END IF;
        BEGIN
            EXECUTE format('SELECT EXISTS (SELECT FROM %s)', over) INTO is_used;
            IF is_used THEN
                EXECUTE format('TRUNCATE %s', over);
            END IF;
        EXCEPTION WHEN lock_not_available THEN
            NULL;  -- a backup reads it, say: the next hour
        END;
    END LOOP;
END $$;

-- All of that, for the owner.
CREATE OR REPLACE FUNCTION fleet.upkeep() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
BEGIN
    PERFORM fleet.remove_old(NULL);
    PERFORM fleet.empty_slots();
    -- A dump that was restored: what transactions were called elsewhere is no news here.
    UPDATE fleet.feed SET xid = '3' WHERE xid >= pg_snapshot_xmax(pg_current_snapshot());
END $$;

-- Does what a host has to do of it, about once an hour.
CREATE OR REPLACE FUNCTION fleet.keep_up() RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    UPDATE fleet.hosts SET upkeep_at = clock_timestamp() WHERE id = me
        AND (upkeep_at IS NULL OR upkeep_at < clock_timestamp() - interval '25 minutes');
    IF NOT FOUND THEN
        RETURN false;
    END IF;
    PERFORM fleet.remove_old(me);
    PERFORM fleet.empty_slots();
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
