import pytest

from pyruse import parse_network

HOME = """
filter = "in_networks", field = "ip", nets = ["192.168.1.0/24", "2001:db8::/32", "192.0.2.7"]
""".strip()


def test_the_people_at_home(pipeline):
    chains = pipeline("""
        [chains]
        "ssh" = [
          { filter = "in_networks", field = "ip", nets = ["192.168.1.0/24", "2001:db8::/32"], then = "home" },
          { action = "report", section = "important", message = "{ip} tries to log in" },
        ]
        "home" = [ { action = "discard" } ]
    """)  # noqa: E501 -- a step is one line
    for ip in ("192.168.1.4", "2001:db8::4", "192.168.2.4", "2001:db9::4"):
        chains.feed(ip=ip)
    assert [row.message for row in chains.report.important] == [
        "192.168.2.4 tries to log in",
        "2001:db9::4 tries to log in",
    ]


@pytest.mark.parametrize(
    "ip",
    [
        "192.168.1.0",
        "192.168.1.255",
        "192.0.2.7",
        "2001:DB8:0:0::1",
        "::ffff:192.168.1.4",
        "::FFFF:c0a8:104",
        " 192.168.1.4\t",
        "[2001:db8::1]",
        "2001:db8::1%eth0",
        "[2001:db8::1%2]",
        "192.168.1.4:22",
        "[192.168.1.4]:22",
        "192.168.1.4#53",
        "[2001:db8::1]:443",
        "::ffff:192.168.1.4#53",
        b"192.168.1.4",
    ],
)
def test_inside(passes, ip):
    assert passes(HOME, ip=ip)


@pytest.mark.parametrize(
    "ip",
    [
        "192.168.0.255",
        "192.168.2.0",
        "192.0.2.8",
        "2001:db7:ffff:ffff:ffff:ffff:ffff:ffff",
        "::192.168.1.4",
        "::1",
    ],
)
def test_outside(passes, ip):
    assert not passes(HOME, ip=ip)


@pytest.mark.parametrize(
    "value",
    [
        "",
        "localhost",
        "192.168.1",
        "192.168.1.256",
        "192.168.1.4:65536",
        "192.168.1.4:",
        "192.168.1.4:ssh",
        "192.168.1.4/32",
        "192.168.001.004",
        "192.168.1.4, 10.0.0.1",
        "1.2.3.4}; delete chain ip I c; #",
        "192.168.1.4\0",
        3232235780,
        ["192.168.2.4", "192.168.1.4"],
        b"\xff",
    ],
)
def test_what_is_no_address_there_does_not_pass(passes, value):
    assert not passes(HOME, ip=value)


def test_a_missing_field_does_not_pass(passes):
    assert not passes('filter = "in_networks", field = "ip", nets = ["0.0.0.0/0", "::/0"]')


def test_all_of_one_family_is_nothing_of_the_other(passes):
    step = 'filter = "in_networks", field = "ip", nets = ["0.0.0.0/0"]'
    assert passes(step, ip="192.0.2.7")
    assert passes(step, ip="::ffff:192.0.2.7")
    assert not passes(step, ip="2001:db8::1")


@pytest.mark.parametrize(
    "net", ["192.0.2.77/24", "192.0.2.0/255.255.255.0", " 192.0.2.0/24 ", "::ffff:192.0.2.0/120"]
)
def test_ways_to_write_a_network(passes, net):
    step = f'filter = "in_networks", field = "ip", nets = ["{net}"]'
    assert passes(step, ip="192.0.2.200")
    assert not passes(step, ip="192.0.3.200")


def test_no_networks_at_all(passes):
    assert not passes('filter = "in_networks", field = "ip", nets = []', ip="192.0.2.7")


def test_what_is_no_network_is_refused(refusal):
    said = refusal('filter = "in_networks", field = "ip", nets = ["10.0.0.0/8", "192.0.2.0/33"]')
    assert said.startswith('pyruse.toml: chains."test"[0].nets[1]: "192.0.2.0/33" is no network')


@pytest.mark.parametrize("nets", ['{{ file = "{}" }}', '["192.0.2.0/24", "file:{}"]'])
def test_networks_of_a_file(passes, tmp_path, nets):
    file = tmp_path / "cdn.txt"
    file.write_text("# a CDN\n198.51.100.0/24\n2001:db8::/32\n")
    step = f'filter = "in_networks", field = "ip", nets = {nets.format(file)}'
    assert passes(step, ip="198.51.100.7")
    assert passes(step, ip="2001:db8::7")
    assert not passes(step, ip="203.0.113.7")


def test_networks_of_a_host_name(pipeline):
    flow = pipeline("""
        [chains]
        "a" = [
          { filter = "in_networks", field = "ip", nets = ["home.example.net"] },
          { action = "report", section = "important", message = "{ip} is at home" },
        ]
    """)
    flow.feed(ip="203.0.113.5")
    step = flow.engine.configuration.steps[0].instance
    step.nets.learn(step.nets.sources[0], [parse_network("203.0.113.5")])
    flow.feed(ip="203.0.113.5")
    flow.feed(ip="203.0.113.6")
    assert [row.message for row in flow.report.important] == ["203.0.113.5 is at home"]
