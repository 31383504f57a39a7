"""Kinds: which texts say the same, but for names and numbers; and what is unlike other days."""
