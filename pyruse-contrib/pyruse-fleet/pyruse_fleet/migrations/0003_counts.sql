-- What hosts count together.

-- Adds what a host has counted. `raised` is a list of [counter, key, seconds that it counts, number].
-- Rows are of one host, and are taken in the order of their keys: so two hosts never wait for each
-- other in a circle.
CREATE FUNCTION fleet.count_up(parcel text, raised jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    IF jsonb_array_length(raised) > 1000 THEN
        RAISE EXCEPTION 'too many at once' USING ERRCODE = '54000';
    END IF;
    IF NOT fleet.is_new(me, parcel) THEN
        RETURN;
    END IF;
    INSERT INTO fleet.counts (counter, key, until, host, number)
    SELECT one->>0, one->>1, ends, me, sum(least((one->>3)::bigint, 1000000))
    FROM jsonb_array_elements(raised) AS one,
        LATERAL (SELECT date_trunc('minute', clock_timestamp()
            + make_interval(secs => least((one->>2)::float8, 7 * 86400))) + interval '1 minute'
        ) AS minute (ends)
    WHERE (one->>2)::float8 > 0 AND (one->>3)::bigint > 0
    GROUP BY 1, 2, 3
    ORDER BY 1, 2, 3
    ON CONFLICT ON CONSTRAINT counts_pkey
        DO UPDATE SET number = counts.number + excluded.number;
END $$;

-- Puts into the feed what several hosts have counted, of the keys [counter, key]; gives of how many.
-- To be called after the commit of `count_up`: of two hosts that count the same key at the same time,
-- the later one sees both. Of large numbers, not each raise is told: it has to be a quarter more.
CREATE FUNCTION fleet.spread(keys jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    me int := fleet.be_host();
    one record;
    all_parts jsonb;
    spread int := 0;
    ready jsonb;
BEGIN
    SELECT jsonb_agg(jsonb_build_array(c, k)) INTO ready FROM (
        SELECT counts.counter AS c, counts.key AS k
        FROM (SELECT DISTINCT pair->>0 AS counter, pair->>1 AS key
            FROM jsonb_array_elements(keys) AS pair LIMIT 1000) AS wanted
        JOIN fleet.counts USING (counter, key)
        WHERE until > clock_timestamp()
        GROUP BY 1, 2
        HAVING count(DISTINCT host) > 1 AND sum(number - told) > 0
            AND sum(number - told) * 4 >= sum(told)
    ) AS found;
    IF ready IS NULL THEN
        RETURN 0;  -- as nearly always: nobody waits for the feed's lock then
    END IF;
    PERFORM fleet.lock_feed();
    FOR one IN SELECT pair->>0 AS c, pair->>1 AS k
        FROM jsonb_array_elements(ready) AS pair ORDER BY 1, 2
    LOOP
        WITH fresh AS MATERIALIZED (
            SELECT host, until, number - told AS added FROM fleet.counts
            WHERE counter = one.c AND key = one.k AND until > clock_timestamp() AND number > told
            ORDER BY host, until LIMIT 500 FOR UPDATE
        ), noted AS (
            UPDATE fleet.counts SET told = number FROM fresh
            WHERE counter = one.c AND key = one.k
                AND (counts.host, counts.until) = (fresh.host, fresh.until)
        )
        SELECT jsonb_agg(jsonb_build_array(host, extract(epoch FROM until), added))
            INTO all_parts FROM fresh;
        CONTINUE WHEN all_parts IS NULL;
        INSERT INTO fleet.feed (seq, host, kind, counter, key, parts)
            VALUES (nextval('fleet.feed_seq'), me, 'count', one.c, one.k, all_parts);
        spread := spread + 1;
    END LOOP;
    PERFORM pg_notify('pyruse_fleet', '');
    RETURN spread;
END $$;
