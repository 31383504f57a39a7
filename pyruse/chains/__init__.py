"""Chains: the steps as configured, how they are linked into a graph, and an entry's way on it."""
