"""Short ways to ask one filter about one entry."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from pyruse.errors import ConfigError

ONE_STEP = """
[chains]
"test" = [ {{ {step} }}, {{ action = "set", field = "passed", value = "yes" }} ]
"""


@pytest.fixture
def passes(pipeline) -> Callable[..., bool]:
    """``passes('filter = "exists", field = "ip"', ip="192.0.2.7")``: it does, and without a fault.

    Asked again with ``invert = true``, the filter answers the opposite.
    """

    def ask(step: str, **fields: Any) -> bool:
        as_it_is, inverted = (
            pipeline(ONE_STEP.format(step=options)) for options in (step, f"{step}, invert = true")
        )
        passed = "passed" in as_it_is.feed(**fields)
        assert ("passed" in inverted.feed(**fields)) != passed
        assert as_it_is.faults == inverted.faults == []
        return passed

    return ask


@pytest.fixture
def refusal(pipeline) -> Callable[[str], str]:
    """``refusal('filter = "exists"')``: what is said of a step that cannot be."""

    def ask(step: str) -> str:
        with pytest.raises(ConfigError) as refused:
            pipeline(ONE_STEP.format(step=step))
        return str(refused.value)

    return ask
