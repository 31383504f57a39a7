-- All that a host can do. Each function runs as the owner, and knows the host by the role that has
-- logged in: so a host acts for itself alone.

-- The host that has logged in; NULL: a role that is no host, or of one that was removed.
CREATE FUNCTION fleet.me() RETURNS int
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    SELECT id FROM fleet.hosts WHERE role = session_user AND removed IS NULL
$$;

CREATE FUNCTION fleet.be_host() RETURNS int
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.me();
BEGIN
    IF me IS NULL THEN
        RAISE EXCEPTION '% is no host of this fleet', session_user USING ERRCODE = '42501';
    END IF;
    RETURN me;
END $$;

-- Notes a parcel; false: it has arrived before.
CREATE FUNCTION fleet.is_new(me int, parcel text) RETURNS boolean
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
BEGIN
    IF parcel IS NULL THEN
        RETURN true;
    END IF;
    INSERT INTO fleet.parcels (host, parcel) VALUES (me, is_new.parcel) ON CONFLICT DO NOTHING;
    RETURN FOUND;
END $$;

-- Takes the lock under which the feed gets its numbers. It lasts until the commit: so the numbers
-- are in the order of the commits, and who reads what is behind a number misses nothing.
CREATE FUNCTION fleet.lock_feed() RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp SET lock_timeout = '5s' AS $$
    SELECT pg_advisory_xact_lock(20260314, 1)
$$;

-- Tells others of bans and unbans. `told` is a list of
-- {"kind", "network", "label", "lasts" (seconds; null: for ever), "ports", "protocol"}.
-- Gives how many were beyond the quota, and so were not taken.
CREATE FUNCTION fleet.tell(parcel text, told jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    me int := fleet.be_host();
    most int;
    held int;
    beyond int := 0;
    one record;
    ends timestamptz;
    is_known boolean;
BEGIN
    IF jsonb_array_length(told) > 1000 THEN
        RAISE EXCEPTION 'too many at once' USING ERRCODE = '54000';
    END IF;
    IF NOT fleet.is_new(me, parcel) THEN
        RETURN 0;
    END IF;
    PERFORM fleet.lock_feed();
    SELECT quota INTO most FROM fleet.hosts WHERE id = me;
    SELECT count(*) INTO held FROM fleet.bans
        WHERE host = me AND (until IS NULL OR until > clock_timestamp());
    FOR one IN
        SELECT * FROM jsonb_to_recordset(told) AS row (
            kind text, network cidr, label text, lasts double precision, ports text, protocol text)
    LOOP
        one.ports := coalesce(one.ports, '');
        one.protocol := coalesce(one.protocol, '');
        IF one.kind = 'ban' THEN
            ends := clock_timestamp() + make_interval(secs => least(one.lasts, 3e9));
            SELECT until IS NULL OR until > clock_timestamp() INTO is_known FROM fleet.bans
                WHERE (network, label, ports, protocol, host)
                    = (one.network, one.label, one.ports, one.protocol, me);
            IF is_known IS NOT TRUE THEN
                IF held >= most THEN
                    beyond := beyond + 1;
                    CONTINUE;
                END IF;
                held := held + 1;
            END IF;
            INSERT INTO fleet.bans (host, network, label, ports, protocol, until)
                VALUES (me, one.network, one.label, one.ports, one.protocol, ends)
                ON CONFLICT ON CONSTRAINT bans_pkey DO UPDATE SET until = excluded.until;
            INSERT INTO fleet.feed (seq, host, kind, network, label, ports, protocol, until)
                VALUES (nextval('fleet.feed_seq'), me, 'ban', one.network, one.label, one.ports,
                    one.protocol, ends);
        ELSIF one.kind = 'unban' THEN
            DELETE FROM fleet.bans
                WHERE (network, label, ports, protocol, host)
                    = (one.network, one.label, one.ports, one.protocol, me);
            CONTINUE WHEN NOT FOUND;  -- what it has not told, it cannot take back
            held := held - 1;
            PERFORM fleet.tell_unban(me, one.network, one.label, one.ports, one.protocol);
        ELSE
            RAISE EXCEPTION 'a fleet tells bans and unbans' USING ERRCODE = '22023';
        END IF;
    END LOOP;
    IF beyond > 0 THEN
        UPDATE fleet.hosts SET refused = refused + beyond, refused_at = clock_timestamp()
            WHERE id = me;
    END IF;
    PERFORM pg_notify('pyruse_fleet', '');
    RETURN beyond;
END $$;

-- Puts an unban into the feed, with whether another host bans the network still.
CREATE FUNCTION fleet.tell_unban(
    of_host int, lifted cidr, lifted_label text, lifted_ports text, lifted_protocol text
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    INSERT INTO fleet.feed (seq, host, kind, network, label, ports, protocol, others)
    VALUES (nextval('fleet.feed_seq'), of_host, 'unban', lifted, lifted_label, lifted_ports,
        lifted_protocol, EXISTS (
            SELECT FROM fleet.bans
            WHERE network = lifted AND ports = lifted_ports AND protocol = lifted_protocol
                AND host <> of_host AND (until IS NULL OR until > clock_timestamp())))
$$;

-- Says that this host is there, how far it has read, and which Pyruse it is; gives what it has to
-- know: its number, and how many hosts there are.
CREATE FUNCTION fleet.be_seen(
    has_read bigint, its_version text, it_reports boolean, OUT me int, OUT hosts bigint)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
BEGIN
    me := fleet.be_host();
    UPDATE fleet.hosts
        SET seen = clock_timestamp(), read = has_read, version = left(its_version, 40),
            reports = it_reports
        WHERE id = me;
    SELECT count(*) INTO hosts FROM fleet.hosts WHERE removed IS NULL;
END $$;

-- Lifts all that a host has told, and forgets what it has counted; for the administrator.
CREATE FUNCTION fleet.lift(of_host int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    one fleet.bans;
    lifted int := 0;
BEGIN
    PERFORM fleet.lock_feed();
    FOR one IN DELETE FROM fleet.bans WHERE host = of_host RETURNING * LOOP
        PERFORM fleet.tell_unban(of_host, one.network, one.label, one.ports, one.protocol);
        lifted := lifted + 1;
    END LOOP;
    DELETE FROM fleet.counts WHERE host = of_host;
    PERFORM pg_notify('pyruse_fleet', '');
    RETURN lifted;
END $$;
