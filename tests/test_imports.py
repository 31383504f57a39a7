"""Imports go round nowhere, neither between folders nor between files."""

from __future__ import annotations

from graphlib import TopologicalSorter

import grimp


def test_no_module_imports_itself_by_way_of_others() -> None:
    # Imports for type checkers count: who reads one of the files must read the others, too.
    graph = grimp.build_graph("pyruse", "pyruse_plugins", exclude_type_checking_imports=False)
    imports = {name: graph.find_modules_directly_imported_by(name) for name in graph.modules}
    del imports["pyruse"]  # exports what authors need; modules of the core import none of it
    TopologicalSorter(imports).prepare()  # CycleError names the modules that go round
    assert len(imports) > 200
