"""A configuration of fail2ban, turned into Pyruse's.

From the files to the text, in the order of the work (``convert`` leads it):

* ``files``: INI files with what they include, and local files over them;
* ``values``: ``%(name)s`` put in; ``option_lists``: ``name[option=value]``;
* ``definitions``: a filter or an action with its parameters, ``<name>`` put in;
* ``jails``: what a jail says; ``ports``, ``durations``, ``lengths``, ``actions``, ``logs``: parts;
* ``covered``: whether rules of Pyruse stand for its filter, by the fingerprints in ``stock``;
* ``used``: the jails that become ``use`` and options of rules;
* ``filters``: what the others look for; ``patterns``, ``several_lines``: an expression of
  fail2ban's as one of Pyruse's; ``guards``, ``finite``, ``writers``: who may write the lines;
* ``chains``, ``sessions``, ``recidive``: jails as chains.

The file that people read is written by ``pyruse.importers.outcome_text``. ``original`` is no part
of this: it is run by the Python that has fail2ban, to compare the two.

No text of fail2ban is in here: what its files say is read from the administrator's own.
"""
