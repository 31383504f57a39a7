import pytest


@pytest.mark.parametrize(
    ("options", "address", "network"),
    [
        ("", "198.51.100.7", "198.51.100.7"),
        ("", "::ffff:198.51.100.7", "198.51.100.7"),
        ("", "2001:db8:0:7:1:2:3:4", "2001:db8:0:7::/64"),
        ("prefix4 = 24, prefix6 = 48,", "198.51.100.7", "198.51.100.0/24"),
        ("prefix4 = 24, prefix6 = 48,", "2001:db8:0:7::1", "2001:db8::/48"),
    ],
)
def test_the_network_of_an_address(pipeline, options, address, network):
    chains = pipeline(f"""
        [chains]
        "network" = [ {{ action = "network", ip = "ip", {options} into = "network" }} ]
    """)
    assert chains.feed(ip=address)["network"] == network


def test_what_is_no_address_is_in_no_network(pipeline):
    chains = pipeline("""
        [chains]
        "network" = [
          { action = "network", ip = "ip", into = "network" },
          { action = "report", section = "other", message = "there" },
        ]
    """)
    assert "network" not in chains.feed(ip="localhost")
    assert chains.report.other == []
    (fault,) = chains.faults
    assert 'ip = "localhost" is in no network to count by (expected an address)' in fault.text
