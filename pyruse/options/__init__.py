"""The types of options, and from a table of the configuration to an object.

A type of option is a class with a class method ``parse(value)``, which raises
``ValueError("fault (expected …)")``: what a configuration says becomes an object when it is read.
The types of plugins work the same way. Optional are ``SCHEMA``, a JSON schema; ``IN_WORDS``, what
is expected, such as "a duration"; and, for a type that takes a list, ``parse_item(value)``, by
which faults are told item by item.
"""
