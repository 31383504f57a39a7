"""BLAKE2b: that of hashlib, which would load OpenSSL with it: 4 MB, for SHA-2."""

from __future__ import annotations

try:
    from _blake2 import blake2b
except ImportError:
    from hashlib import blake2b

__all__ = ["blake2b"]
