-- The days of the hosts, and who mails the fleet's report. No host decides for the others: neither when
-- a day is due, nor, but for a day that is its turn, that it is mailed.

CREATE OR REPLACE FUNCTION fleet.report(of_day date, its_report jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    me int := fleet.be_host();
    size int := length(its_report::text);
    room record;
BEGIN
    -- Tomorrow has begun somewhere; what waited for the database is of the last two weeks.
    IF size > 65536 OR of_day > fleet.today() + 1 OR of_day < fleet.today() - 16 THEN
        RAISE EXCEPTION 'no report of a day' USING ERRCODE = '22023';
    END IF;
    SELECT * INTO room FROM fleet.left_today(me, size);
    IF room.rows <= 0 THEN
        PERFORM fleet.spend(me, 0, 0, 0, 0, 1);
        RETURN;
    END IF;
    INSERT INTO fleet.reports (host, day, report) VALUES (me, of_day, its_report)
        ON CONFLICT ON CONSTRAINT reports_pkey DO UPDATE SET report = excluded.report;
    PERFORM fleet.spend(me, 0, 0, 1, size, 0);
END $$;

-- Says for so many seconds that this host can mail the fleet's report.
CREATE OR REPLACE FUNCTION fleet.hold(role_name text, seconds int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    IF role_name <> 'report' THEN
        RAISE EXCEPTION 'there is no such role' USING ERRCODE = '22023';
    END IF;
    UPDATE fleet.hosts SET mails_until = clock_timestamp() + make_interval(secs => least(seconds, 600))
        WHERE id = me;
    RETURN true;
END $$;

-- Whether the fleet's report of a day is to be mailed now. It waits for each host that has reported in
-- the week before, until two hours after its usual time; and never longer than for two hours after the
-- day has ended everywhere on earth. Before the day has ended anywhere, nothing is due.
CREATE OR REPLACE FUNCTION fleet.is_due(of_day date) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    WITH usual AS (
        SELECT DISTINCT ON (host) host, at + (of_day - day) * interval '1 day' AS at
        FROM fleet.reports JOIN fleet.hosts ON hosts.id = host
        WHERE day BETWEEN of_day - 7 AND of_day - 1 AND removed IS NULL
        ORDER BY host, day DESC
    ), has AS (SELECT host, at FROM fleet.reports WHERE day = of_day)
    SELECT clock_timestamp() > (of_day + time '10:00') AT TIME ZONE 'UTC' AND EXISTS (SELECT FROM has) AND (
        clock_timestamp() > (of_day + 1 + time '14:00') AT TIME ZONE 'UTC'
        OR clock_timestamp() > coalesce(
            (SELECT max(usual.at) FROM usual WHERE host NOT IN (SELECT host FROM has)) + interval '2 hours',
            -- All are there; on the first day, nobody knows who is going to report.
            CASE WHEN EXISTS (SELECT FROM usual) THEN '-infinity'
                ELSE (SELECT max(at) FROM has) + interval '2 hours' END))
$$;

-- The day whose report this host is to mail now; NULL: none. The hosts that can mail take turns, in
-- another order each day. The first of them that has seen that a day is due says that it is about to
-- mail it, and does so at its next look, if no host before it has said so; who has not said for ten
-- minutes that it is done is taken for dead, and comes last. Who comes later in the order waits for ten
-- minutes for each one before it.
CREATE OR REPLACE FUNCTION fleet.due_report() RETURNS date
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    me int := fleet.be_host();
    due date;
    mine fleet.mailed;
    before_me int[];
    written text;  -- the day, however the session of a host wants to see one
BEGIN
    SELECT day INTO due FROM (SELECT DISTINCT day FROM fleet.reports
            WHERE day BETWEEN fleet.today() - 4 AND fleet.today()) AS one
        WHERE fleet.is_due(day) AND NOT EXISTS (
            SELECT FROM fleet.mailed JOIN fleet.hosts ON hosts.id = host
            WHERE mailed.day = one.day AND removed IS NULL
                AND (done OR host <> me AND sending > clock_timestamp() - interval '10 minutes'))
        ORDER BY day LIMIT 1;
    IF due IS NULL THEN
        RETURN NULL;
    END IF;
    INSERT INTO fleet.mailed (day, host) VALUES (due, me) ON CONFLICT DO NOTHING;
    SELECT * INTO mine FROM fleet.mailed WHERE day = due AND host = me;
    written := to_char(due, 'YYYY-MM-DD');
    SELECT array_agg(id) INTO before_me
        FROM fleet.hosts LEFT JOIN fleet.mailed ON host = id AND day = due
        WHERE id <> me AND removed IS NULL AND mails_until > clock_timestamp()
            AND (sending IS NOT NULL, md5(written || ' ' || id))
                < (mine.sending IS NOT NULL, md5(written || ' ' || me));
    IF clock_timestamp() < mine.at + coalesce(cardinality(before_me), 0) * interval '10 minutes'
        OR mine.sending > clock_timestamp() - interval '10 minutes' THEN
        RETURN NULL;
    ELSIF mine.claimed IS NULL OR mine.claimed < clock_timestamp() - interval '5 minutes' THEN
        UPDATE fleet.mailed SET claimed = clock_timestamp() WHERE day = due AND host = me;
        RETURN NULL;
    ELSIF EXISTS (SELECT FROM fleet.mailed WHERE day = due AND host = ANY(before_me) AND sending IS NULL
        AND claimed > clock_timestamp() - interval '5 minutes') THEN
        RETURN NULL;
    END IF;
    UPDATE fleet.mailed SET sending = clock_timestamp() WHERE day = due AND host = me;
    RETURN due;
END $$;

-- Says that the report of a day is mailed; of the host alone whose turn it was.
CREATE OR REPLACE FUNCTION fleet.has_mailed(of_day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    UPDATE fleet.mailed SET done = true WHERE day = of_day AND host = me AND sending IS NOT NULL;
END $$;
