"""The version of Pyruse, as it was installed."""

from importlib.metadata import PackageNotFoundError, version

try:
    VERSION = version("pyruse")
except PackageNotFoundError:  # a checkout that is not installed
    VERSION = "0"
