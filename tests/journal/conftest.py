"""Commands as somebody runs them who may not read everything."""

from tests.rights import close, powerless

__all__ = ["close", "powerless"]
