"""The files that README.md names, below a folder: what they say of these networks is made up."""

import sys
from pathlib import Path

from mmdb_writer import MMDBWriter
from netaddr import IPSet

COUNTRIES = {"192.0.2.0/24": "NL", "198.51.100.0/24": "BR", "203.0.113.0/24": "FR"}

folder = Path(sys.argv[1]) / "var" / "lib" / "GeoIP"
folder.mkdir(parents=True)
countries = MMDBWriter(6, "GeoLite2-Country", ipv4_compatible=True)
for network, code in COUNTRIES.items():
    countries.insert_network(IPSet([network]), {"country": {"iso_code": code}})
countries.to_db_file(str(folder / "GeoLite2-Country.mmdb"))

networks = MMDBWriter(6, "GeoLite2-ASN", ipv4_compatible=True, int_type="u32")
owner = {"autonomous_system_number": 64496, "autonomous_system_organization": "Example Networks"}
networks.insert_network(IPSet(["198.51.100.0/24"]), owner)
networks.to_db_file(str(folder / "GeoLite2-ASN.mmdb"))
