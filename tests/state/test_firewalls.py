"""How far firewalls are: what is known of them ends with the run of the machine."""

from __future__ import annotations

import os
import sqlite3
from contextlib import closing

import pytest

from pyruse.state.firewalls import FirewallRecord, FirewallRecords, firewall_records


@pytest.fixture
def db(tmp_path, monkeypatch):
    """A database in which a firewall is known, and files that tell one run from another."""
    monkeypatch.setattr("pyruse.state.firewalls._SYSTEMD", tmp_path / "notify")
    monkeypatch.setattr("pyruse.state.firewalls._BOOT", tmp_path / "boot_id")
    (tmp_path / "notify").touch()
    (tmp_path / "boot_id").write_text("843c221e-de70-481b-a83e-88342567a076\n")
    with closing(sqlite3.connect(":memory:")) as opened:
        opened.executescript(FirewallRecords.SCHEMA)
        records = FirewallRecords()
        records.load(opened)
        records.put("nftables", FirewallRecord())
        records.save(opened)
        yield opened


def test_a_service_that_sees_the_host_s_boot_id_is_of_the_same_run(db, tmp_path):
    """In a container, /proc of a service with ProtectKernelTunables= is not that of a shell."""
    (tmp_path / "boot_id").write_text("da621cc9-652c-4f2b-a90b-e96b5fbe02dc\n")
    assert firewall_records(db)["nftables"].known


def test_after_a_start_of_the_machine_nobody_knows(db, tmp_path):
    os.utime(tmp_path / "notify", ns=(1, 1))
    assert not firewall_records(db)["nftables"].known


def test_without_systemd_the_boot_id_counts(db, tmp_path):
    (tmp_path / "notify").unlink()
    assert not firewall_records(db)["nftables"].known
