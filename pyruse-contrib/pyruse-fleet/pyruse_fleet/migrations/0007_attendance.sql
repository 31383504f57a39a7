-- One machine at a time takes part under a name. Two of the same name would take back each other's bans.

ALTER TABLE fleet.hosts
    ADD COLUMN identity text,               -- of the machine that takes part; its state keeps it
    ADD COLUMN run text,                    -- of its daemon: another one each time it starts
    ADD COLUMN attended timestamptz,        -- when it was last there
    ADD COLUMN has_left boolean NOT NULL DEFAULT false,
    ADD COLUMN waiting_run text,            -- of another daemon that wants to take part
    ADD COLUMN waiting_since timestamptz,
    ADD COLUMN twin_at timestamptz;         -- when a second machine was last turned away

-- Whether this daemon may take part. 'yes'; 'wait': its last run was there a moment ago, or a copy of
-- the machine is; 'twin': another machine takes part. Who was not there for two minutes is taken to have
-- ended; another machine, as one that was made anew, has to wait for ten.
CREATE FUNCTION fleet.attend(its_identity text, its_run text) RETURNS text
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
CREATE FUNCTION fleet.leave(its_run text) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
DECLARE me int := fleet.be_host();
BEGIN
    UPDATE fleet.hosts SET has_left = true WHERE id = me AND run = its_run;
END $$;

REVOKE EXECUTE ON FUNCTION fleet.attend(text, text), fleet.leave(text) FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fleet.attend(text, text), fleet.leave(text) TO pyruse_hosts;
