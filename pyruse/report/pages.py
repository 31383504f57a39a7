"""Reports on pages of a plugin's own: the words and numbers are those of the mail."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from pyruse.api.report import Report
from pyruse.report.choice import Choice, Offer
from pyruse.report.environment import environment, variables
from pyruse.report.room import Room

if TYPE_CHECKING:
    from jinja2 import Environment


def page_templates(folder: Path) -> Environment:
    """Templates with the filters and the escaping that templates of reports have.

    Whatever they print is escaped as HTML, and has no control characters.

    :param folder: has the templates, files named ``*.html.j2``.
    """
    return environment(folder)


def page_variables(report: Report, limit: int, size: int) -> dict[str, Any]:
    """The variables that templates of reports have.

    :param report: the report.
    :param limit: the number of rows that each part of it shows at most.
    :param size: how many bytes of HTML the rows take, about; what is cut is counted in ``shown``.
    """
    return variables(report, limit, Choice(Offer(report, "html", limit), Room(size, size)))
