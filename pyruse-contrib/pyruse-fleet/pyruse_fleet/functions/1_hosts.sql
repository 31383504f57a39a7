-- Who is calling, what it may write, and that it is there. All that a host can do is a function: it runs
-- as the owner, and knows the host by the role that has logged in. So a host acts for itself alone.
--
-- A host may leave its transaction open for as long as it wants to. So a function that a host may call
-- locks no row but the host's own, takes no lock that another one takes, and passes over what is locked.

-- The host that has logged in; NULL: a role that is no host, or of one that was removed.
CREATE OR REPLACE FUNCTION fleet.me() RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    SELECT id FROM fleet.hosts WHERE role = session_user AND removed IS NULL
$$;

CREATE OR REPLACE FUNCTION fleet.be_host() RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.me();
BEGIN
    IF me IS NULL THEN
        RAISE EXCEPTION '% is no host of this fleet', session_user USING ERRCODE = '42501';
    END IF;
    RETURN me;
END $$;

-- The day, as the fleet counts it: the same for each host, whatever its time zone.
CREATE OR REPLACE FUNCTION fleet.today() RETURNS date
LANGUAGE sql STABLE AS $$
    SELECT (now() AT TIME ZONE 'UTC')::date
$$;

-- What a host may write a day: by its quota, the number of bans in force that it may have told.
CREATE OR REPLACE FUNCTION fleet.limits(of_host int, OUT told int, OUT rows int, OUT bytes bigint)
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    SELECT least(5.0 * quota, 2e9)::int, least(1000 + 100.0 * quota, 2e9)::int, 10000000 + 10000::bigint * quota
    FROM fleet.hosts WHERE id = of_host
$$;

-- What a host may still write today. Its row stays locked: its sessions come one after another, and
-- together keep to its limits. `told` and `counted` are rows of the feed; where there are no more
-- bytes, there is nothing.
CREATE OR REPLACE FUNCTION fleet.left_today(me int, size bigint, OUT told int, OUT counted int, OUT rows int)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    most record;
    used fleet.usage;
BEGIN
    SELECT * INTO used FROM fleet.usage WHERE host = me AND day = fleet.today() FOR UPDATE;
    IF NOT FOUND THEN
        INSERT INTO fleet.usage (host, day) VALUES (me, fleet.today()) ON CONFLICT DO NOTHING;
        SELECT * INTO used FROM fleet.usage WHERE host = me AND day = fleet.today() FOR UPDATE;
    END IF;
    SELECT * INTO most FROM fleet.limits(me);
    told := most.told - used.told;
    counted := most.told - used.counted;
    rows := most.rows - used.rows;
    IF used.bytes + size > most.bytes THEN
        told := 0;
        counted := 0;
        rows := 0;
    END IF;
END $$;

-- Notes what a host has written today, and how much of it was refused.
CREATE OR REPLACE FUNCTION fleet.spend(
    me int, more_told int, more_counted int, more_rows int, more_bytes bigint, more_refused bigint
) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
BEGIN
    UPDATE fleet.usage
        SET told = told + more_told, counted = counted + more_counted, rows = rows + more_rows,
            bytes = bytes + more_bytes + 100 * more_rows, refused = refused + more_refused
        WHERE host = me AND day = fleet.today();
    IF more_refused > 0 THEN
        UPDATE fleet.hosts SET refused = refused + more_refused, refused_at = clock_timestamp() WHERE id = me;
    END IF;
END $$;

-- Whether a parcel has arrived before.
CREATE OR REPLACE FUNCTION fleet.is_known(me int, parcel text) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    SELECT EXISTS (SELECT FROM fleet.parcels WHERE host = me AND parcels.parcel = is_known.parcel)
$$;

-- Hints that there is something new; not where hints pile up, as somebody does not take his: then a hint
-- would make the commit fail.
CREATE OR REPLACE FUNCTION fleet.hint() RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
BEGIN
    IF pg_notification_queue_usage() < 0.5 THEN
        PERFORM pg_notify('pyruse_fleet', '');
    END IF;
END $$;

-- Says that this host is there, how far it has read, and which Pyruse it is; gives what it has to
-- know: its number, and how many hosts there are. All the hosts together look after the sessions, some
-- six times a minute.
CREATE OR REPLACE FUNCTION fleet.be_seen(
    has_read bigint, its_version text, it_reports boolean, OUT me int, OUT hosts bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
BEGIN
    me := fleet.be_host();
    UPDATE fleet.hosts
        SET seen = clock_timestamp(), read = has_read, reports = it_reports,
            version = left(regexp_replace(its_version, '[^ -~]', '', 'g'), 40)
        WHERE id = me;
    SELECT count(*) INTO hosts FROM fleet.hosts WHERE removed IS NULL;
    IF random() * hosts < 6 THEN
        PERFORM fleet.watch();
    END IF;
END $$;

-- Whether this daemon may take part. 'yes'; 'wait': its last run was there a moment ago, or a copy of
-- the machine is; 'twin': another machine takes part. Who was not there for two minutes is taken to have
-- ended; another machine, as one that was made anew, has to wait for ten.
CREATE OR REPLACE FUNCTION fleet.attend(its_identity text, its_run text) RETURNS text
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    me int := fleet.be_host();
    now timestamptz := clock_timestamp();
    mine fleet.hosts;
BEGIN
    UPDATE fleet.hosts
        SET identity = left(its_identity, 100), run = left(its_run, 100), attended = now,
            has_left = false, waiting_run = nullif(waiting_run, its_run)
        WHERE id = me AND (run IS NULL OR run = its_run OR attended < now - interval '10 minutes'
            OR identity = its_identity AND (has_left OR attended < now - interval '2 minutes'));
    IF FOUND THEN
        RETURN 'yes';
    END IF;
    SELECT * INTO mine FROM fleet.hosts WHERE id = me;
    IF mine.waiting_run IS DISTINCT FROM its_run THEN
        UPDATE fleet.hosts SET waiting_run = left(its_run, 100), waiting_since = now WHERE id = me;
        IF mine.identity = its_identity THEN
            RETURN 'wait';
        END IF;
    ELSIF mine.identity = its_identity AND mine.attended < mine.waiting_since THEN
        RETURN 'wait';
    END IF;
    UPDATE fleet.hosts SET twin_at = now WHERE id = me;
    RETURN 'twin';
END $$;

-- Says that this daemon ends: its next run need not wait.
CREATE OR REPLACE FUNCTION fleet.leave(its_run text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    UPDATE fleet.hosts SET has_left = true WHERE id = me AND run = its_run;
END $$;
