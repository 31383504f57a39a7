-- What a host may do: read what it has to know, and call its functions. It is said anew by each
-- `pyruse-fleet init`, as a dump that is restored may have lost some of it.
--
-- The rights are everybody's, and of use to hosts alone: each function asks who is calling, and by row
-- security nobody else reads anything. They are not given to the hosts' group: each of its members could
-- revoke them for all (DROP OWNED BY). A host that was removed, and may still be connected, reads nothing;
-- what it has told is read by nobody.

ALTER TABLE fleet.hosts ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.feed ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.bans ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.reports ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.mailed ENABLE ROW LEVEL SECURITY;
DROP POLICY IF EXISTS hosts_read ON fleet.hosts;
DROP POLICY IF EXISTS hosts_read ON fleet.feed;
DROP POLICY IF EXISTS hosts_read ON fleet.bans;
DROP POLICY IF EXISTS hosts_read ON fleet.reports;
DROP POLICY IF EXISTS hosts_read ON fleet.mailed;
CREATE POLICY hosts_read ON fleet.hosts FOR SELECT TO PUBLIC
    USING ((SELECT fleet.me()) IS NOT NULL);
CREATE POLICY hosts_read ON fleet.feed FOR SELECT TO PUBLIC
    USING ((SELECT fleet.me()) IS NOT NULL);
CREATE POLICY hosts_read ON fleet.bans FOR SELECT TO PUBLIC
    USING ((SELECT fleet.me()) IS NOT NULL AND host IN (SELECT id FROM fleet.hosts WHERE removed IS NULL));
CREATE POLICY hosts_read ON fleet.reports FOR SELECT TO PUBLIC
    USING ((SELECT fleet.me()) IS NOT NULL);
CREATE POLICY hosts_read ON fleet.mailed FOR SELECT TO PUBLIC
    USING ((SELECT fleet.me()) IS NOT NULL);

REVOKE ALL ON ALL TABLES IN SCHEMA fleet FROM PUBLIC, pyruse_hosts;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA fleet FROM PUBLIC, pyruse_hosts;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA fleet FROM PUBLIC, pyruse_hosts;
REVOKE ALL ON SCHEMA fleet FROM PUBLIC, pyruse_hosts;

GRANT USAGE ON SCHEMA fleet TO PUBLIC;
GRANT SELECT (id, name, added, removed, refused, refused_at, seen, reports) ON fleet.hosts TO PUBLIC;
GRANT SELECT ON fleet.feed, fleet.bans, fleet.reports TO PUBLIC;
-- So that each mail says who has mailed those before: who lies is found out the next day.
GRANT SELECT (day, host, sending, done) ON fleet.mailed TO PUBLIC;
GRANT EXECUTE ON FUNCTION
    fleet.me(), fleet.be_seen(bigint, text, boolean), fleet.tell(text, jsonb),
    fleet.news(pg_snapshot, bigint, int), fleet.count_up(text, jsonb), fleet.spread(jsonb),
    fleet.report(date, jsonb), fleet.hold(text, int), fleet.due_report(), fleet.has_mailed(date),
    fleet.keep_up(), fleet.release(), fleet.attend(text, text), fleet.leave(text)
    TO PUBLIC;

-- Nobody fills the disk by tables of his own.
DO $$
DECLARE one regnamespace;
BEGIN
    EXECUTE format('REVOKE TEMPORARY, CREATE ON DATABASE %I FROM PUBLIC, pyruse_hosts', current_database());
    FOR one IN SELECT oid FROM pg_namespace
        WHERE has_schema_privilege('pyruse_hosts', oid, 'CREATE') AND pg_has_role(nspowner, 'USAGE')
    LOOP
        EXECUTE format('REVOKE CREATE ON SCHEMA %s FROM PUBLIC, pyruse_hosts', one);
    END LOOP;
END $$;

-- Nor by large objects or messages in the log of changes, nor uses up the memory for locks: what all of
-- PostgreSQL's users may do, a superuser can forbid. Where the owner is none, `init` and `status` say so.
CREATE OR REPLACE VIEW fleet.open_functions AS
    SELECT oid::regprocedure AS name FROM pg_proc
    WHERE pronamespace = 'pg_catalog'::regnamespace AND has_function_privilege('pyruse_hosts', oid, 'EXECUTE')
        AND (proname ~ '^pg_(try_)?advisory_(xact_)?lock' OR proname IN (
            'lo_creat', 'lo_create', 'lo_from_bytea', 'lo_import', 'lo_open', 'lo_put', 'lo_truncate',
            'lo_truncate64', 'lowrite', 'pg_export_snapshot', 'pg_logical_emit_message'));
DO $$
DECLARE one regprocedure;
BEGIN
    IF (SELECT rolsuper FROM pg_roles WHERE rolname = current_user) THEN
        FOR one IN SELECT name FROM fleet.open_functions LOOP
            EXECUTE format('REVOKE EXECUTE ON FUNCTION %s FROM PUBLIC', one);
        END LOOP;
    END IF;
END $$;
