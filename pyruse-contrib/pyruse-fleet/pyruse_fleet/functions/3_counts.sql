-- What hosts count together.

-- The partition of counts that end then: there are twelve, one a day, over and over. Counts last for a
-- week at most, so the days around it that are over have no rows that count.
CREATE OR REPLACE FUNCTION fleet.slot(ends timestamptz) RETURNS smallint
LANGUAGE sql STABLE AS $$  -- with no settings of its own, it is a part of the query that calls it
    SELECT (pg_catalog.floor(extract(epoch FROM ends) / 86400)::int % 12)::smallint
$$;

-- The partitions of what still counts, as far as there is anything in them: mostly one or two. The
-- others are not even looked at, as one that is over may be locked by whoever empties it.
CREATE OR REPLACE FUNCTION fleet.slots() RETURNS smallint[]
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    one smallint;
    is_used boolean;
    used smallint[] := '{}';
BEGIN
    FOR one IN SELECT fleet.slot(clock_timestamp() + ahead * interval '1 day') FROM generate_series(0, 8) AS ahead
    LOOP
        EXECUTE format('SELECT EXISTS (SELECT FROM fleet.counts_%s)', one) INTO is_used;
        IF is_used THEN
            used := used || one;
        END IF;
    END LOOP;
    RETURN used;
END $$;

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
SET enable_seqscan = off SET enable_hashjoin = off SET enable_mergejoin = off  -- a few keys, of very many
AS $$
DECLARE
    me int := fleet.be_host();
    living CONSTANT smallint[] := fleet.slots();
    room record;
    ready jsonb;
    many int;
    few int;  -- as many as it may still tell today
BEGIN
    SELECT jsonb_agg(jsonb_build_array(wanted.counter, wanted.key)) INTO ready
    FROM (SELECT DISTINCT pair->>0 AS counter, pair->>1 AS key
            FROM jsonb_array_elements(keys) AS pair LIMIT 1000) AS wanted,
        LATERAL (SELECT sum(number - told) AS more, sum(told) AS known FROM fleet.counts
            WHERE slot = ANY(living) AND counter = wanted.counter AND key = wanted.key AND host = me
                AND until > clock_timestamp()) AS mine,
        LATERAL (SELECT FROM fleet.counts JOIN fleet.hosts ON hosts.id = host
            WHERE slot = ANY(living) AND counter = wanted.counter AND key = wanted.key AND host <> me
                AND until > clock_timestamp() AND removed IS NULL
                AND more > 0 AND more * 4 >= known LIMIT 1) AS others;
    IF ready IS NULL THEN
        RETURN 0;  -- as nearly always
    END IF;
    SELECT * INTO room FROM fleet.left_today(me, 0);
    many := jsonb_array_length(ready);
    few := least(many, greatest(room.counted, 0));
    WITH fresh AS MATERIALIZED (
        SELECT counter, key, slot, until, number - told AS added
        FROM (SELECT pair->>0 AS c, pair->>1 AS k
                FROM jsonb_array_elements(ready) AS pair LIMIT few) AS wanted,
            LATERAL (SELECT * FROM fleet.counts
                WHERE slot = ANY(living) AND counter = c AND key = k AND host = me
                    AND until > clock_timestamp() AND number > told
                ORDER BY until LIMIT 500) AS found
    ), noted AS (  -- all of these rows are there: by their conflict, each is found by its key for certain
        INSERT INTO fleet.counts (slot, counter, key, until, host, number, told)
            SELECT slot, counter, key, until, me, added, added FROM fresh
            ON CONFLICT ON CONSTRAINT counts_pkey DO UPDATE SET told = counts.told + excluded.told
    )
    INSERT INTO fleet.feed (seq, host, kind, counter, key, parts)
        SELECT nextval('fleet.feed_seq'), me, 'count', counter, key,
            jsonb_agg(jsonb_build_array(me, extract(epoch FROM until), added))
        FROM fresh GROUP BY counter, key;
    PERFORM fleet.spend(me, 0, few, few, 0, many - few);
    PERFORM fleet.hint();
    RETURN few;
END $$;
