-- What the hosts' group may do: read what it has to know, and call its functions. Row security is
-- there for a host that was removed, and whose role may still be connected: it reads nothing.

ALTER TABLE fleet.hosts ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.feed ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.bans ENABLE ROW LEVEL SECURITY;
ALTER TABLE fleet.reports ENABLE ROW LEVEL SECURITY;
CREATE POLICY hosts_read ON fleet.hosts FOR SELECT TO pyruse_hosts
    USING ((SELECT fleet.me()) IS NOT NULL);
CREATE POLICY hosts_read ON fleet.feed FOR SELECT TO pyruse_hosts
    USING ((SELECT fleet.me()) IS NOT NULL);
CREATE POLICY hosts_read ON fleet.bans FOR SELECT TO pyruse_hosts
    USING ((SELECT fleet.me()) IS NOT NULL);
CREATE POLICY hosts_read ON fleet.reports FOR SELECT TO pyruse_hosts
    USING ((SELECT fleet.me()) IS NOT NULL);

GRANT USAGE ON SCHEMA fleet TO pyruse_hosts;
GRANT SELECT (id, name, added, removed, refused, refused_at, seen, reports) ON fleet.hosts TO pyruse_hosts;
GRANT SELECT ON fleet.feed, fleet.bans, fleet.reports TO pyruse_hosts;

REVOKE EXECUTE ON ALL FUNCTIONS IN SCHEMA fleet FROM PUBLIC;
GRANT EXECUTE ON FUNCTION
    fleet.me(), fleet.be_seen(bigint, text, boolean), fleet.tell(text, jsonb), fleet.count_up(text, jsonb),
    fleet.spread(jsonb), fleet.report(date, jsonb), fleet.hold(text, int), fleet.due_report(),
    fleet.has_mailed(date), fleet.release()
    TO pyruse_hosts;
-- What a host may call is what keeps everybody's tables small, with the default alone.
CREATE FUNCTION fleet.keep_up() RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = pg_catalog, fleet, pg_temp AS $$
    SELECT fleet.be_host() IS NOT NULL AND fleet.upkeep()
$$;
REVOKE EXECUTE ON FUNCTION fleet.keep_up() FROM PUBLIC;
GRANT EXECUTE ON FUNCTION fleet.keep_up() TO pyruse_hosts;
-- Nobody fills the disk by tables of his own.
DO $$ BEGIN
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;
SELECT fleet.upkeep();
