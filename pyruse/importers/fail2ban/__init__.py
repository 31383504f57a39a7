"""A configuration of fail2ban, turned into Pyruse's.

From the files to the text, in the order of the work:

* ``files``: INI files with what they include, and local files over them;
* ``values``: ``%(name)s`` and ``<name>`` put in; ``option_lists``: ``name[option=value]``;
* ``definitions``: a filter or an action with its parameters;
* ``patterns``: a regular expression of fail2ban's as one of Pyruse's;
* ``guards``: who may write the lines (``journalmatch``, programs that are known);
* ``jails``: what a jail says; ``ports``, ``durations``, ``actions``: parts of it;
* ``chains``, ``sessions``, ``recidive``: a jail as chains; ``rules``: as ``use``;
* the file that people read is written by ``pyruse.importers.outcome_text``.

No text of fail2ban is in here: what its files say is read from the administrator's own.
"""
