-- What hosts count together.

-- The partition of counts that end then: there are twelve, one a day, over and over. Counts last for a
-- week at most, so the days around it that are over have no rows that count.
CREATE OR REPLACE FUNCTION fleet.slot(ends timestamptz) RETURNS smallint
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp AS $$
    SELECT (floor(extract(epoch FROM ends) / 86400)::int % 12)::smallint
$$;

-- The partitions of what still counts.
CREATE OR REPLACE FUNCTION fleet.slots() RETURNS smallint[]
LANGUAGE sql STABLE SET search_path = pg_catalog, fleet, pg_temp AS $$
    SELECT array_agg(fleet.slot(clock_timestamp() + ahead * interval '1 day')) FROM generate_series(0, 8) AS ahead
$$;

-- Adds what a host has counted. `raised` is a list of [counter, key, seconds that it counts, number].
-- Gives how many rows were refused: beyond what it may write a day, or beyond what counts of one key
-- and minute.
CREATE OR REPLACE FUNCTION fleet.count_up(parcel text, raised jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    me int := fleet.be_host();
    most CONSTANT int := 100000;
    many int := jsonb_array_length(raised);
    room record;
    taken int := 0;
    full_rows int := 0;
BEGIN
    IF many > 1000 THEN
        RAISE EXCEPTION 'too many at once' USING ERRCODE = '54000';
    END IF;
    SELECT * INTO room FROM fleet.left_today(me, length(raised::text));
    IF parcel IS NOT NULL THEN
        IF fleet.is_known(me, parcel) THEN
            RETURN 0;
        ELSIF room.rows > many THEN
            INSERT INTO fleet.parcels (host, parcel) VALUES (me, count_up.parcel);
        END IF;
    END IF;
    IF room.rows > many THEN
        WITH added AS (
            INSERT INTO fleet.counts (slot, counter, key, until, host, number)
            SELECT fleet.slot(ends), one->>0, one->>1, ends, me, least(sum(least((one->>3)::bigint, most)), most)
            FROM jsonb_array_elements(raised) AS one,
                LATERAL (SELECT date_trunc('minute', clock_timestamp()
                    + make_interval(secs => least((one->>2)::float8, 7 * 86400))) + interval '1 minute'
                ) AS minute (ends)
            WHERE (one->>2)::float8 > 0 AND (one->>3)::bigint > 0
            GROUP BY 1, 2, 3, 4
            ORDER BY 2, 3, 4
            ON CONFLICT ON CONSTRAINT counts_pkey
                DO UPDATE SET number = least(counts.number + excluded.number, most)
            RETURNING number
        )
        SELECT count(*), count(*) FILTER (WHERE number = most) INTO taken, full_rows FROM added;
    ELSE
        full_rows := many;
    END IF;
    PERFORM fleet.spend(me, 0, 0, taken + (taken > 0 AND parcel IS NOT NULL)::int,
        CASE WHEN taken > 0 THEN length(raised::text) ELSE 0 END, full_rows);
    RETURN full_rows;
END $$;

-- Puts into the feed what this host has counted, of the keys [counter, key] that others have counted,
-- too; gives of how many. It is called after the commit of `count_up`, and when others' counts are
-- read: so of two hosts that count the same key at the same time, each tells its own. Of large numbers,
-- not each raise is told: it has to be a quarter more.
CREATE OR REPLACE FUNCTION fleet.spread(keys jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp
SET plan_cache_mode = force_custom_plan  -- so that it locks the partitions alone that it reads
AS $$
DECLARE
    me int := fleet.be_host();
    living CONSTANT smallint[] := fleet.slots();
    room record;
    one record;
    ready jsonb;
    my_parts jsonb;
    spread int := 0;
    beyond int := 0;
BEGIN
    SELECT jsonb_agg(jsonb_build_array(c, k)) INTO ready FROM (
        SELECT counter AS c, key AS k
        FROM (SELECT DISTINCT pair->>0 AS counter, pair->>1 AS key
            FROM jsonb_array_elements(keys) AS pair LIMIT 1000) AS wanted
        JOIN fleet.counts USING (counter, key)
        WHERE slot = ANY(living) AND host = me AND until > clock_timestamp()
        GROUP BY 1, 2
        HAVING sum(number - told) > 0 AND sum(number - told) * 4 >= sum(told)
    ) AS mine WHERE EXISTS (
        SELECT FROM fleet.counts JOIN fleet.hosts ON hosts.id = host
        WHERE slot = ANY(living) AND counter = c AND key = k AND host <> me
            AND until > clock_timestamp() AND removed IS NULL);
    IF ready IS NULL THEN
        RETURN 0;  -- as nearly always
    END IF;
    SELECT * INTO room FROM fleet.left_today(me, 0);
    FOR one IN SELECT pair->>0 AS c, pair->>1 AS k FROM jsonb_array_elements(ready) AS pair LOOP
        IF spread >= room.counted THEN
            beyond := beyond + 1;
            CONTINUE;
        END IF;
        WITH fresh AS MATERIALIZED (
            SELECT slot, until, number - told AS added FROM fleet.counts
            WHERE slot = ANY(living) AND counter = one.c AND key = one.k AND host = me
                AND until > clock_timestamp() AND number > told
            ORDER BY until LIMIT 500
        ), noted AS (
            UPDATE fleet.counts SET told = told + added FROM fresh
            WHERE counts.slot = ANY(living) AND counter = one.c AND key = one.k AND host = me
                AND (counts.slot, counts.until) = (fresh.slot, fresh.until)
        )
        SELECT jsonb_agg(jsonb_build_array(me, extract(epoch FROM until), added)) INTO my_parts FROM fresh;
        CONTINUE WHEN my_parts IS NULL;
        INSERT INTO fleet.feed (seq, host, kind, counter, key, parts)
            VALUES (nextval('fleet.feed_seq'), me, 'count', one.c, one.k, my_parts);
        spread := spread + 1;
    END LOOP;
    PERFORM fleet.spend(me, 0, spread, spread, 0, beyond);
    PERFORM fleet.hint();
    RETURN spread;
END $$;
