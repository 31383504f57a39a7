"""The part in C: for libsystemd, and for every Python from 3.11 on (PEP 384)."""

from __future__ import annotations

from glob import glob

from setuptools import Extension, setup

setup(
    ext_modules=[
        Extension(
            "pyruse_native._native",
            sorted(glob("src/*.c")),
            depends=["src/archive.h", "src/levels.h", "src/native.h"],
            libraries=["systemd", "dl"],
            define_macros=[("_GNU_SOURCE", None)],
            extra_compile_args=["-std=c11", "-Wall", "-Wextra"],
            py_limited_api=True,
        )
    ],
    options={"bdist_wheel": {"py_limited_api": "cp311"}},
)
