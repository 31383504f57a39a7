"""``pyruse schema``: for editors."""

from __future__ import annotations

import json


def test_the_options_of_what_is_installed(process):
    done = process("schema")
    assert (done.code, done.err) == (0, "")
    schema = json.loads(done.out)
    assert schema["$schema"] == "https://json-schema.org/draft/2020-12/schema"
    assert {"journal", "state", "email", "report", "bans", "plugins", "chains"} <= set(
        schema["properties"]
    )
    for name in ("in_networks", "dnat_capture", "user_exists"):
        assert f'"{name}"' in done.out
