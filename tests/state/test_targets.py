"""Where bans are put, as the state keeps it: as a text that is a key."""

from __future__ import annotations

import pytest

from pyruse.api.firewall import Sets, Target
from pyruse.state.bans import target_of_json, target_to_json


@pytest.mark.parametrize(
    ("target", "text"),
    [
        (Target("nftables"), b'{"backend":"nftables","sets":null,"ports":[]}'),
        (
            Target("nftables", Sets("ip mail banned")),
            b'{"backend":"nftables","sets":{"ipv4":"ip mail banned","ipv6":null},"ports":[]}',
        ),
        (
            Target("nftables", None, (22, "1000-2000"), "tcp"),
            b'{"backend":"nftables","sets":null,"ports":[22,"1000-2000"],"protocol":"tcp"}',
        ),
    ],
)
def test_without_a_protocol_it_is_the_text_of_earlier_versions(target: Target, text: bytes) -> None:
    assert target_to_json(target) == text
    assert target_of_json(text) == target
