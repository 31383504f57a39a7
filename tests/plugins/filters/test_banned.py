import pytest

CHAINS = """
[chains]
"bans" = [
  {{ filter = "equals", field = "MESSAGE", value = "ban" }},
  {{ action = "ban", ip = "ip", duration = "1h", prefix6 = 64, label = "ssh" }},
]
"logins" = [ {{ filter = "banned", ip = "ip"{options} }}, {{ action = "set", field = "is", value = "banned" }} ]
"""  # noqa: E501 -- a chain is one line in TOML


@pytest.fixture
def is_banned(pipeline, clock):
    def make(*banned: str, options: str = ""):
        chains = pipeline(CHAINS.format(options=options))
        for ip in banned:
            chains.feed(MESSAGE="ban", ip=ip)

        def is_banned(ip: str) -> bool:
            return "is" in chains.feed(MESSAGE="login", ip=ip)

        return is_banned

    return make


def test_an_address_that_is_banned_until_its_ban_is_over(is_banned, clock):
    banned = is_banned("203.0.113.7")
    assert banned("203.0.113.7")
    assert banned("::ffff:203.0.113.7")
    assert not banned("203.0.113.8")
    clock.advance("1h")
    assert not banned("203.0.113.7")


def test_an_address_in_a_network_that_is_banned(is_banned):
    banned = is_banned("2001:db8:0:7::1")
    assert banned("2001:db8:0:7:1:2:3:4")
    assert not banned("2001:db8:0:8::1")


@pytest.mark.parametrize(("label", "passes"), [("ssh", True), ("web", False)])
def test_bans_of_a_label(is_banned, label, passes):
    assert is_banned("203.0.113.7", options=f', label = "{label}"')("203.0.113.7") is passes


@pytest.mark.parametrize("text", ["", "localhost", "203.0.113.0/24", "203.0.113"])
def test_what_is_no_address_is_not_banned(is_banned, text):
    assert not is_banned("203.0.113.7")(text)


def test_nobody_is_banned(is_banned):
    assert not is_banned()("203.0.113.7")
