"""Imports without OpenSSL: 3.4 MB that a daemon would have for years, though it speaks no TLS.

`hashlib` loads it, and Jinja2 imports `hashlib` for caches that Pyruse does not use.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec


@contextmanager
def without_openssl() -> Iterator[None]:
    """Have what is imported in the block use Python's own hash functions.

    What is imported later finds `hashlib` as ever. Some distributions build Python without hash
    functions of its own: then it is OpenSSL's as ever, too.
    """
    if "hashlib" in sys.modules or not (find_spec("_md5") and find_spec("_sha1")):
        yield
        return
    sys.modules["_hashlib"] = None  # type: ignore[assignment]  # "is not there": sys.modules
    try:
        yield
    finally:
        del sys.modules["_hashlib"]
        sys.modules.pop("hashlib", None)
