-- One machine at a time takes part under a name. Two of the same name would take back each other's bans.
-- fleet.attend decides (functions/1_hosts.sql).

ALTER TABLE fleet.hosts
    ADD COLUMN identity text,               -- of the machine that takes part; its state keeps it
    ADD COLUMN run text,                    -- of its daemon: another one each time it starts
    ADD COLUMN attended timestamptz,        -- when it was last there
    ADD COLUMN has_left boolean NOT NULL DEFAULT false,
    ADD COLUMN waiting_run text,            -- of another daemon that wants to take part
    ADD COLUMN waiting_since timestamptz,
    ADD COLUMN twin_at timestamptz;         -- when a second machine was last turned away
