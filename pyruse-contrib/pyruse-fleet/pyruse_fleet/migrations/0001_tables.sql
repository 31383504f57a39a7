-- The tables of a fleet. Hosts write by functions alone (0002 to 0005); what they may read is in 0006.

CREATE TABLE fleet.hosts (
    id int GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    name text NOT NULL UNIQUE CHECK (length(name) BETWEEN 1 AND 100),
    role name NOT NULL UNIQUE,
    added timestamptz NOT NULL DEFAULT clock_timestamp(),
    removed timestamptz,
    quota int NOT NULL DEFAULT 10000 CHECK (quota >= 0),  -- bans in force that it may have told
    refused bigint NOT NULL DEFAULT 0,                    -- how many were beyond that
    refused_at timestamptz,
    seen timestamptz,
    read bigint NOT NULL DEFAULT 0,                       -- so far it has read the feed
    reports boolean NOT NULL DEFAULT true,                -- its days are to be in the report
    version text NOT NULL DEFAULT ''
);

-- What hosts have told, by numbers in the order of their commits (see fleet.tell).
CREATE TABLE fleet.feed (
    seq bigint PRIMARY KEY,
    mark int NOT NULL DEFAULT (random() * 2147483647)::int,  -- tells a row from that of a restored database
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    host int NOT NULL,
    kind text NOT NULL CHECK (kind IN ('begin', 'ban', 'unban', 'count')),
    network cidr,
    label text CHECK (length(label) <= 200),
    ports text NOT NULL DEFAULT '' CHECK (length(ports) <= 500),
    protocol text NOT NULL DEFAULT '' CHECK (length(protocol) <= 20),
    until timestamptz,                                    -- of a ban; NULL: for ever
    others boolean NOT NULL DEFAULT false,                -- of an unban: another host bans it still
    counter text CHECK (length(counter) <= 200),
    key text CHECK (length(key) <= 1000),
    parts jsonb                                           -- of a count: [[host, until, number], …]
);
CREATE SEQUENCE fleet.feed_seq;
CREATE INDEX feed_by_age ON fleet.feed (at);
-- The feed is never empty: by the last row that it knows, a host sees that nothing is missing.
INSERT INTO fleet.feed (seq, host, kind) VALUES (nextval('fleet.feed_seq'), 0, 'begin');

-- The bans in force that hosts have told: what a host reads that was away for too long.
CREATE TABLE fleet.bans (
    host int NOT NULL,
    network cidr NOT NULL,
    label text NOT NULL,
    ports text NOT NULL DEFAULT '',
    protocol text NOT NULL DEFAULT '',
    until timestamptz,
    since timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (network, label, ports, protocol, host)
);
CREATE INDEX bans_by_host ON fleet.bans (host, until);

-- What has arrived: a parcel that comes again, as its answer was lost, counts once.
CREATE TABLE fleet.parcels (
    host int NOT NULL,
    parcel text NOT NULL CHECK (length(parcel) <= 100),
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    PRIMARY KEY (host, parcel)
);
CREATE INDEX parcels_by_age ON fleet.parcels (at);

-- How often whom was counted, by host, and by the minute in which that ends to count.
CREATE TABLE fleet.counts (
    counter text NOT NULL CHECK (length(counter) <= 200),
    key text NOT NULL CHECK (length(key) <= 1000),
    until timestamptz NOT NULL,
    host int NOT NULL,
    number bigint NOT NULL,
    told bigint NOT NULL DEFAULT 0,                       -- so much of it is in the feed
    PRIMARY KEY (counter, key, host, until)
) PARTITION BY RANGE (until);
CREATE TABLE fleet.counts_other PARTITION OF fleet.counts DEFAULT;

CREATE TABLE fleet.reports (
    host int NOT NULL,
    day date NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    report jsonb NOT NULL,
    PRIMARY KEY (day, host)
);

-- Who has a role that one host has at a time, such as to mail the report; and until when.
CREATE TABLE fleet.roles (
    name text PRIMARY KEY,
    host int NOT NULL,
    until timestamptz NOT NULL
);
-- Which days' reports of the fleet are mailed, or are about to be.
CREATE TABLE fleet.mailed (
    day date PRIMARY KEY,
    host int NOT NULL,
    at timestamptz NOT NULL DEFAULT clock_timestamp(),
    done boolean NOT NULL DEFAULT false
);
