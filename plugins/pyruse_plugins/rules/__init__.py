"""The built-in rules: a TOML file for each program, and for each policy."""
