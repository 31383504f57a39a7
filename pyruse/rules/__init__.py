"""Rules: what packages know of programs, as chains; and which of them a configuration uses."""
