"""Databases are written by another project's writer, and replaced while they are used."""

from __future__ import annotations

import os
import time

import pytest
from mmdb_writer import MMDBWriter
from netaddr import IPSet
from pyruse_geoip import Database

from pyruse.testing import ConfigError

COUNTRIES = {
    "203.0.113.0/25": {"country": {"iso_code": "FR"}, "continent": {"code": "EU"}},
    "203.0.113.128/25": {"country": {"iso_code": "NL"}, "continent": {"code": "EU"}},
    "198.51.100.0/24": {"registered_country": {"iso_code": "US"}},
    "192.0.2.0/24": {"continent": {"code": "AF"}},
    "2001:db8::/48": {"country": {"iso_code": "JP"}, "continent": {"code": "AS"}},
}
NETWORKS = {
    "203.0.113.0/24": {
        "autonomous_system_number": 64496,
        "autonomous_system_organization": "Example Société",
    }
}


def write(path, networks, *, kind="GeoLite2-Country", version=6, age=3600):
    """Put a database in its place as geoipupdate does: by rename(2)."""
    writer = MMDBWriter(version, kind, ipv4_compatible=version == 6, int_type="u32")
    for network, record in networks.items():
        writer.insert_network(IPSet([network]), record)
    new = path.with_name("new")
    writer.to_db_file(str(new))
    os.utime(new, (time.time() - age,) * 2)
    new.replace(path)


@pytest.fixture
def countries(tmp_path):
    write(tmp_path / "countries.mmdb", COUNTRIES)
    return tmp_path / "countries.mmdb"


@pytest.fixture
def networks(tmp_path):
    write(tmp_path / "networks.mmdb", NETWORKS, kind="GeoLite2-ASN")
    return tmp_path / "networks.mmdb"


def steps(*lines):
    return '[chains]\n"all" = [\n' + ",\n".join(f"{{ {line} }}" for line in lines) + "\n]\n"


def geoip(database, options):
    return f'action = "geoip", field = "ip", database = "{database}", {options}'


def in_countries(database, options):
    return f'filter = "in_countries", field = "ip", database = "{database}", {options}'


@pytest.mark.parametrize(
    ("address", "country", "continent"),
    [
        ("203.0.113.7", "FR", "EU"),
        ("203.0.113.200", "NL", "EU"),
        ("::ffff:203.0.113.7", "FR", "EU"),
        ("[2001:db8::7]", "JP", "AS"),
        ("198.51.100.7", "US", None),  # only where it is registered is known
        ("192.0.2.7", None, "AF"),
        ("10.0.0.1", None, None),
        ("192.168.1.2", None, None),
        ("fe80::1%eth0", None, None),
        ("::1", None, None),
        ("no address", None, None),
        (None, None, None),
    ],
)
def test_the_country_of_an_address(pipeline, countries, address, country, continent):
    chains = pipeline(
        steps(geoip(countries, 'country_into = "country", continent_into = "continent"'))
    )
    fields = chains.feed(ip=address)
    assert (fields.get("country"), fields.get("continent")) == (country, continent)
    assert chains.faults == []


def test_who_has_the_network_of_an_address(pipeline, networks):
    options = 'asn_into = "asn", organization_into = "provider", network_into = "net"'
    chains = pipeline(
        steps(
            geoip(networks, options),
            'filter = "in", field = "asn", values = [64496]',
            'action = "report", section = "other", message = "{provider}, AS{asn}, {net}"',
        )
    )
    chains.feed(ip="203.0.113.7")
    chains.feed(ip="198.51.100.7")
    assert [row.message for row in chains.report.other] == [
        "Example Société, AS64496, 203.0.113.0/24"
    ]


def test_what_is_not_known_of_this_address_does_not_stay_from_another(pipeline, countries):
    chains = pipeline(steps(geoip(countries, 'country_into = "country"')))
    assert "country" not in chains.feed(ip="10.0.0.1", country="FR")


@pytest.mark.parametrize(
    ("options", "passing"),
    [
        ('countries = ["FR", "JP"]', ["203.0.113.7", "2001:db8::7"]),
        ('countries = ["FR"], unknown = true', ["203.0.113.7", "10.0.0.1", "nonsense"]),
        (
            'countries = ["FR"], invert = true',
            ["203.0.113.200", "2001:db8::7", "10.0.0.1", "nonsense"],
        ),
        (
            'countries = ["FR"], unknown = true, invert = true',
            ["203.0.113.200", "2001:db8::7"],
        ),
    ],
)
def test_who_is_in_some_countries_passes(pipeline, countries, options, passing):
    chains = pipeline(
        steps(
            in_countries(countries, options),
            'action = "report", section = "other", message = "{ip}"',
        )
    )
    for address in ("203.0.113.7", "203.0.113.200", "2001:db8::7", "10.0.0.1", "nonsense"):
        chains.feed(ip=address)
    assert [row.message for row in chains.report.other] == passing


def test_ipv6_in_a_database_of_ipv4_has_no_country(pipeline, tmp_path):
    path = tmp_path / "old.mmdb"
    write(path, {"203.0.113.0/24": {"country": {"iso_code": "FR"}}}, version=4)
    chains = pipeline(steps(geoip(path, 'country_into = "country"')))
    assert chains.feed(ip="203.0.113.7")["country"] == "FR"
    assert "country" not in chains.feed(ip="2001:db8::7")
    assert chains.faults == []


def test_a_database_that_is_replaced_is_read_again(pipeline, countries):
    chains = pipeline(steps(geoip(countries, 'country_into = "country"')))
    assert chains.feed(ip="203.0.113.7")["country"] == "FR"
    write(countries, {"203.0.113.0/24": {"country": {"iso_code": "BE"}}})
    assert chains.feed(ip="203.0.113.7")["country"] == "BE"


@pytest.mark.parametrize(
    ("spoil", "fault"),
    [
        (lambda path: path.write_bytes(path.read_bytes()[:500]), "is no such database, or is "),
        (lambda path: path.write_bytes(b""), "is no such database, or is damaged"),
        (lambda path: path.unlink(), "No such file or directory"),
    ],
)
def test_a_database_that_is_spoilt_is_told_once_and_the_one_before_it_is_used(
    pipeline, countries, spoil, fault
):
    chains = pipeline(steps(geoip(countries, 'country_into = "country"')))
    assert chains.feed(ip="203.0.113.7")["country"] == "FR"
    spoil(countries)
    if countries.exists():
        os.utime(countries, (0, 0))
    for _ in range(3):
        assert chains.feed(ip="203.0.113.7")["country"] == "FR"
    [line] = chains.logs
    assert line.level == "WARNING"
    assert line.message.startswith(f'chains."all"[0]: {countries}: {fault}')
    assert line.message.endswith("; the one before is still used")
    write(countries, {"203.0.113.0/24": {"country": {"iso_code": "BE"}}})
    assert chains.feed(ip="203.0.113.7")["country"] == "BE"
    assert len(chains.logs) == 1


def test_a_file_that_is_just_being_written_is_left_alone(pipeline, countries):
    chains = pipeline(steps(geoip(countries, 'country_into = "country"')))
    whole = countries.read_bytes()
    countries.write_bytes(whole[:500])  # in place: a file that was mapped would be the end of us
    assert chains.feed(ip="203.0.113.7")["country"] == "FR"
    assert chains.logs == []


def test_steps_share_what_they_read_until_another_file_is_there(countries):
    first = Database.parse(str(countries))
    assert Database.parse(str(countries)) is first
    write(countries, COUNTRIES)
    assert Database.parse(str(countries)) is not first


@pytest.mark.parametrize(
    ("options", "fault"),
    [
        ('database = "/nowhere/x.mmdb", country_into = "c"',
         '[0].database: /nowhere/x.mmdb: No such file or directory (expected the path of a file'),
        ('database = "/etc/passwd", country_into = "c"',
         '[0].database: /etc/passwd: is no such database, or is damaged (expected the path'),
        ('database = "x.mmdb", country_into = "c"',
         "[0].database: that is no path from / on (expected the path of a file in the MaxMind DB"),
        ('country_into = "c"', "[0].database: missing (expected the path of a file in the MaxMind"),
        ('database = "@countries"', "[0]: nothing is set (expected country_into, asn_into or "),
        ('database = "@countries", asn_into = "asn"',
         "[0]: GeoLite2-Country knows no autonomous systems (expected a database of those)"),
        ('database = "@networks", country_into = "c"',
         "[0]: GeoLite2-ASN knows no countries (expected a database of countries)"),
        ('database = "@countries", country_into = "_HOSTNAME"',
         '[0].country_into: "_HOSTNAME" cannot be set'),
    ],
)  # fmt: skip
def test_faulty_options_are_told_with_their_address(pipeline, countries, networks, options, fault):
    options = options.replace("@countries", str(countries)).replace("@networks", str(networks))
    with pytest.raises(ConfigError) as caught:
        pipeline(steps(f'action = "geoip", field = "ip", {options}'))
    [said] = caught.value.faults
    assert said.startswith(f'pyruse.toml: chains."all"{fault}')


def test_a_country_that_is_none_is_told_with_its_address(pipeline, countries):
    with pytest.raises(ConfigError) as caught:
        pipeline(steps(in_countries(countries, 'countries = ["FR", "de"]')))
    assert caught.value.faults == [
        "pyruse.toml: chains.\"all\"[0].countries[1]: 'de' is no code of a country (expected two "
        'capital letters of ISO 3166-1, such as "FR")'
    ]


def test_a_reload_with_a_spoilt_database_is_refused_and_the_running_steps_go_on(
    pipeline, countries
):
    toml = steps(geoip(countries, 'country_into = "country"'))
    running = pipeline(toml)
    countries.write_bytes(b"spoilt")
    with pytest.raises(ConfigError):
        pipeline(toml)
    assert running.feed(ip="203.0.113.7")["country"] == "FR"
