-- Bans and unbans: what hosts tell, and what they read.

-- Whether others than this host tell the same ban; a host that was removed tells nothing.
CREATE OR REPLACE FUNCTION fleet.is_told_by_others(
    of_host int, of_network cidr, of_ports text, of_protocol text
) RETURNS boolean
LANGUAGE sql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    SELECT EXISTS (
        SELECT FROM fleet.bans JOIN fleet.hosts ON hosts.id = host
        WHERE network = of_network AND ports = of_ports AND protocol = of_protocol AND host <> of_host
            AND removed IS NULL AND (until IS NULL OR until > clock_timestamp()))
$$;

-- Tells others of bans and unbans. `told` is a list of
-- {"kind", "network", "label", "lasts" (seconds; null: for ever), "ports", "protocol"}.
-- Gives how many were beyond the quota, and so were not taken.
CREATE OR REPLACE FUNCTION fleet.tell(parcel text, told jsonb) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    me int := fleet.be_host();
    room record;
    held int;
    most int;
    written int := 0;
    beyond int := 0;
    one record;
    ends timestamptz;
    known record;
BEGIN
    IF jsonb_array_length(told) > 1000 THEN
        RAISE EXCEPTION 'too many at once' USING ERRCODE = '54000';
    END IF;
    SELECT * INTO room FROM fleet.left_today(me, length(told::text));
    IF parcel IS NOT NULL AND fleet.is_known(me, parcel) THEN
        RETURN 0;
    END IF;
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
            -- Of a ban for ever, `lasts` is null, and so is its end; `least` passes over nulls.
            ends := clock_timestamp() + make_interval(secs =>
                CASE WHEN one.lasts IS NOT NULL THEN least(one.lasts, 3e9) END);
            SELECT until, until IS NULL OR until > clock_timestamp() AS lasts INTO known FROM fleet.bans
                WHERE (network, label, ports, protocol, host)
                    = (one.network, one.label, one.ports, one.protocol, me);
            -- As it is known already: nobody has to read it again.
            CONTINUE WHEN known.lasts
                AND abs(extract(epoch FROM coalesce(known.until, 'epoch') - coalesce(ends, 'epoch'))) < 5;
            IF written >= room.told OR (known.lasts IS NOT TRUE AND held >= most) THEN
                beyond := beyond + 1;
                CONTINUE;
            END IF;
            held := held + (known.lasts IS NOT TRUE)::int;
            written := written + 1;
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
            -- What it has not told, it cannot take back: so these need no limit of their own.
            CONTINUE WHEN NOT FOUND;
            held := held - 1;
            PERFORM fleet.tell_unban(me, one.network, one.label, one.ports, one.protocol);
        ELSE
            RAISE EXCEPTION 'a fleet tells bans and unbans' USING ERRCODE = '22023';
        END IF;
    END LOOP;
    IF written > 0 AND parcel IS NOT NULL THEN  -- what comes again later changes nothing else
        INSERT INTO fleet.parcels (host, parcel) VALUES (me, tell.parcel);
    END IF;
    PERFORM fleet.spend(me, written, 0, 2 * written + (written > 0)::int,
        CASE WHEN written > 0 THEN length(told::text) ELSE 0 END, beyond);
    PERFORM fleet.hint();
    RETURN beyond;
END $$;

-- Puts an unban into the feed. `others` is for hosts of an earlier version: the later ones look
-- themselves, when they read it.
CREATE OR REPLACE FUNCTION fleet.tell_unban(
    of_host int, lifted cidr, lifted_label text, lifted_ports text, lifted_protocol text
) RETURNS void
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    INSERT INTO fleet.feed (seq, host, kind, network, label, ports, protocol, others)
    VALUES (nextval('fleet.feed_seq'), of_host, 'unban', lifted, lifted_label, lifted_ports,
        lifted_protocol, fleet.is_told_by_others(of_host, lifted, lifted_ports, lifted_protocol))
$$;

-- Lifts all that a host has told, and forgets what it has counted; for the administrator.
CREATE OR REPLACE FUNCTION fleet.lift(of_host int) RETURNS int
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE
    one fleet.bans;
    lifted int := 0;
BEGIN
    FOR one IN DELETE FROM fleet.bans WHERE host = of_host RETURNING * LOOP
        PERFORM fleet.tell_unban(of_host, one.network, one.label, one.ports, one.protocol);
        lifted := lifted + 1;
    END LOOP;
    DELETE FROM fleet.counts WHERE host = of_host;
    PERFORM fleet.hint();
    RETURN lifted;
END $$;

-- What is new in the feed for a host that has read what is visible in the snapshot `taken`, and the row
-- `last`; in the order of the transactions, `most` rows or a few more, as a transaction comes as a whole.
-- The row `last` comes first: if it is not there, the database is another one than it was.
--
-- Numbers and transactions become visible in any order, as each host commits when it wants to. But a
-- snapshot says for each transaction whether it was over then. So nobody misses anything, and nobody
-- waits for a transaction that somebody else leaves open.
--
-- `reached` is the snapshot after these rows.
CREATE OR REPLACE FUNCTION fleet.news(taken pg_snapshot, last bigint, most int) RETURNS TABLE (
    reached text, seq bigint, mark int, host int, kind text, network text, label text,
    ports text, protocol text, for_ever boolean, lasts float8, others boolean, counter text, key text,
    parts jsonb)
LANGUAGE plpgsql STABLE SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
#variable_conflict use_column
DECLARE
    me int := fleet.be_host();
    here pg_snapshot := pg_current_snapshot();
    -- Of a standby, the snapshot does not say which transactions are not over.
    ends xid8 := CASE WHEN pg_is_in_recovery() THEN pg_snapshot_xmin(here) ELSE pg_snapshot_xmax(here) END;
    running xid8[] := ARRAY(SELECT pg_snapshot_xip(here) AS x WHERE NOT pg_is_in_recovery() ORDER BY x);
    were_running xid8[] := ARRAY(SELECT pg_snapshot_xip(taken));
    beyond xid8;
BEGIN
    IF pg_snapshot_xmax(taken) > pg_snapshot_xmax(here) THEN
        RETURN;  -- of another database server: this one was restored
    END IF;
    -- Where there is more than a page, it ends with a transaction: what is later is not read yet.
    SELECT feed.xid INTO beyond FROM fleet.feed
        WHERE feed.xid >= pg_snapshot_xmax(taken) AND feed.xid < ends
        ORDER BY feed.xid OFFSET least(greatest(most, 1), 10000) - 1 LIMIT 1;
    IF beyond IS NOT NULL THEN
        ends := (beyond::text::bigint + 1)::text::xid8;
        running := ARRAY(SELECT x FROM unnest(running) AS x WHERE x <= beyond ORDER BY x);
    END IF;
    RETURN QUERY
    WITH fresh AS (
        SELECT * FROM fleet.feed WHERE feed.xid >= pg_snapshot_xmax(taken) AND feed.xid < ends
        UNION ALL
        SELECT * FROM fleet.feed WHERE feed.xid = ANY(were_running) AND feed.seq <> last
        UNION ALL  -- of a database that was restored: it uses numbers of transactions again
        SELECT * FROM (SELECT * FROM fleet.feed WHERE feed.seq > last ORDER BY feed.seq LIMIT most) AS next
        WHERE next.xid < pg_snapshot_xmax(taken) AND next.xid <> ALL(were_running)
    )
    SELECT
        format('%s:%s:%s', coalesce(running[1], ends), ends, array_to_string(running, ',')),
        one.seq, one.mark, one.host, one.kind, one.network::text, one.label, one.ports, one.protocol,
        one.until IS NULL, extract(epoch FROM one.until - clock_timestamp())::float8, one.others,
        one.counter, one.key, (
            SELECT jsonb_agg(jsonb_build_array(item->0,
                (item->>1)::float8 - extract(epoch FROM clock_timestamp())::float8, item->2))
            FROM jsonb_array_elements(one.parts) AS item)
    FROM (
        SELECT 0 AS place, feed.* FROM fleet.feed WHERE feed.seq = last
        UNION ALL SELECT 1, fresh.* FROM fresh) AS one
    ORDER BY one.place, one.xid, one.seq;
END $$;
