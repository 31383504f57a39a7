-- The days of the hosts, and who mails the fleet's report.

CREATE FUNCTION fleet.report(of_day date, its_report jsonb) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    IF length(its_report::text) > 65536 OR of_day > current_date + 2 THEN
        RAISE EXCEPTION 'no report of a day' USING ERRCODE = '22023';
    END IF;
    INSERT INTO fleet.reports (host, day, report) VALUES (me, of_day, its_report)
        ON CONFLICT ON CONSTRAINT reports_pkey
            DO UPDATE SET report = excluded.report, at = clock_timestamp();
END $$;

-- Takes a role, or keeps it, for so many seconds; false: another host has it.
CREATE FUNCTION fleet.hold(role_name text, seconds int) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    IF role_name <> 'report' THEN
        RAISE EXCEPTION 'there is no such role' USING ERRCODE = '22023';
    END IF;
    INSERT INTO fleet.roles (name, host, until)
        VALUES (role_name, me, clock_timestamp() + make_interval(secs => least(seconds, 600)))
        ON CONFLICT (name) DO UPDATE SET host = excluded.host, until = excluded.until
            WHERE roles.host = me OR roles.until < clock_timestamp()
                OR NOT EXISTS (SELECT FROM fleet.hosts WHERE id = roles.host AND removed IS NULL);
    RETURN FOUND;
END $$;

-- The day whose report this host is to mail now; NULL: none. A day is due once all have reported
-- that did so lately, or two hours after the first one. Who was to mail it, and has not said for ten
-- minutes that it is done, is taken for dead.
CREATE FUNCTION fleet.due_report() RETURNS date
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    me int := fleet.be_host();
    due date;
BEGIN
    IF NOT EXISTS (SELECT FROM fleet.roles
        WHERE name = 'report' AND host = me AND until > clock_timestamp()) THEN
        RETURN NULL;
    END IF;
    SELECT day INTO due FROM fleet.reports AS one
        WHERE day > current_date - 4
            AND NOT EXISTS (SELECT FROM fleet.mailed WHERE mailed.day = one.day
                AND (done OR mailed.at > clock_timestamp() - interval '10 minutes'))
        GROUP BY day
        HAVING min(at) < clock_timestamp() - interval '2 hours' OR NOT EXISTS (
            SELECT FROM fleet.hosts WHERE removed IS NULL
                AND EXISTS (SELECT FROM fleet.reports AS lately
                    WHERE host = hosts.id AND lately.day BETWEEN one.day - 7 AND one.day - 1)
                AND NOT EXISTS (SELECT FROM fleet.reports AS this
                    WHERE host = hosts.id AND this.day = one.day))
            -- On its first day, nobody knows who is going to report.
            AND EXISTS (SELECT FROM fleet.reports AS before WHERE before.day < one.day)
        ORDER BY day LIMIT 1;
    IF due IS NOT NULL THEN
        INSERT INTO fleet.mailed (day, host) VALUES (due, me)
            ON CONFLICT (day) DO UPDATE SET host = me, at = clock_timestamp();
    END IF;
    RETURN due;
END $$;

CREATE FUNCTION fleet.has_mailed(of_day date) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    UPDATE fleet.mailed SET done = true WHERE day = of_day AND host = me;
END $$;
