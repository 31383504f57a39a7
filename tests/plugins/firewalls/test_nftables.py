"""Real packets against real rules, in namespaces of their own."""

from __future__ import annotations

import json
import sys
import time

import pytest
from pyruse_plugins.firewalls.nftables import Nftables

from pyruse import FirewallError
from pyruse.testing.namespace import NetworkNamespace

from .conftest import Firewall, Machines, elements, failed, listen, sets
