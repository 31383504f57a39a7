"""An action that leaves the chain."""

import pytest

CHAINS = """
[engine]
optimize = {optimize}
[chains]
"count" = [
  {{ filter = "exists", field = "ip" }},
  {{ action = "count", counter = "all", key = "ip", into = "n" }},
  {{ action = "continue" }},
]
"jump" = [ {{ filter = "exists", field = "jump", then = "aside" }}, {{ action = "continue" }} ]
"aside" = [ {{ action = "set", field = "aside", value = "yes" }}, {{ action = "continue" }} ]
"last" = [ {{ action = "log", message = "{{ip}} {{n}} {{aside}}" }} ]
"""


@pytest.mark.parametrize("optimize", ["true", "false"])
def test_the_chains_after_it_see_the_entry(pipeline, optimize):
    chains = pipeline(CHAINS.format(optimize=optimize))
    chains.feed(ip="192.0.2.1")
    chains.feed(ip="192.0.2.1", jump="x")
    chains.feed(MESSAGE="hello")
    assert [line.message for line in chains.logs] == ["192.0.2.1 1 ", "192.0.2.1 2 yes", "  "]


def test_behind_the_last_chain_the_journey_ends(pipeline):
    chains = pipeline("""
        [chains]
        "only" = [ { action = "set", field = "x", value = "1" }, { action = "continue" } ]
    """)
    assert chains.feed()["x"] == "1"
    assert chains.faults == []
