"""What each page shows. Everything that a log line may hold is escaped by the templates."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from datetime import date, datetime, tzinfo
from importlib.resources import files
from pathlib import Path
from typing import Any

from starlette.datastructures import QueryParams as Query

from pyruse import Observer, UserError, datetime_of, one_line, page_templates
from pyruse_web import fold, graph, reports
from pyruse_web.finding import finder
from pyruse_web.folding import Folding
from pyruse_web.reports import Asked, NoSuchReport

_BANS = 100
"""On one page."""
_LINE = 44
"""Characters for which a box of the graph has room."""

View = Callable[[Query], tuple[int, str]]
"""Gives the code of the answer, and the page."""


class Views:
    """The pages. Each takes what there is at the moment, in whatever thread it is called."""

    def __init__(self, observer: Observer, zone: tzinfo) -> None:
        self._observer = observer
        self._looks = reports.Looks(observer)
        self._zone = zone
        self._environment = page_templates(Path(str(files("pyruse_web") / "templates")))
        self._environment.filters.update(
            instant=self._instant,
            iso=lambda text: f"{datetime.fromisoformat(text):%F %T}",
            weekday=lambda day: f"{date.fromisoformat(day):%a}",
        )
        self._environment.globals.update(box=graph.WIDTH, head=graph.HEAD, row=graph.ROW)

    def report(self, query: Query) -> tuple[int, str]:
        """A report: that of today so far, or of a day, a week or a month that is kept."""
        return self._page(
            "report", lambda: reports.look(self._observer, self._looks, Asked.of(query))
        )

    def search(self, query: Query) -> tuple[int, str]:
        """What has a text in the reported events of all days."""
        return self._page("search", lambda: reports.look_for(self._observer, Asked.of(query)))

    def bans(self, query: Query) -> tuple[int, str]:
        """The bans in force, the newest first; those that are asked for, page by page."""

        def look() -> dict[str, Any]:
            wanted = query.get("q", "").strip()
            bans = self._observer.bans()[::-1]
            found = list(filter(finder(wanted), bans)) if wanted else bans
            pages = max(1, -(-len(found) // _BANS))
            page = min(_number(query.get("page", "")), pages)
            return {
                "in_force": sum(ban["state"] == "in force" for ban in bans),
                "all": len(bans),
                "found": len(found),
                "bans": found[(page - 1) * _BANS : page * _BANS],
                "q": wanted,
                "page": page,
                "pages": pages,
            }

        return self._page("bans", look)

    def chains(self, query: Query) -> tuple[int, str]:
        """The chains as a graph and as tables, with what went through them.

        In the address, ``show`` says whether ``all`` groups of chains are unfolded, or ``none``;
        ``open`` and ``fold``, as often as wanted, name those for which it is otherwise.
        """

        def look() -> dict[str, Any]:
            daemon = self._observer.status()["daemon"] or {}
            counted = {chain["chain"]: chain for chain in daemon.get("chains") or []}
            chains = fold.with_numbers(self._observer.chains(), counted)
            groups = fold.grouped(fold.once(chains))
            folding = Folding.of(query, groups)
            opened = folding.opened
            owner = {chain["chain"]: group for group in groups for chain in group.chains}
            return {
                "chains": len(chains),
                "groups": groups,
                "opened": opened,
                "graph": graph.drawn(groups, opened),
                "counted": bool(counted),
                "uses": lambda group: list(
                    dict.fromkeys(
                        owner[name].name for name in group.uses if owner[name] is not group
                    )
                ),
                "brief_list": _brief_list,
                "toggled": folding.toggled,
            }

        return self._page("chains", look)

    def health(self, query: Query) -> tuple[int, str]:
        """How Pyruse itself is doing."""
        return self._page(
            "health",
            lambda: {"status": self._observer.status(), "counters": self._observer.counters()},
        )

    def login(self, *, wrong: bool = False) -> str:
        """The form for the token."""
        return self._rendered("login", {"wrong": wrong})

    def _page(self, name: str, look: Callable[[], dict[str, Any]]) -> tuple[int, str]:
        try:
            return 200, self._rendered(name, look())
        except NoSuchReport as fault:
            return 404, self._rendered("fault", {"fault": str(fault), "title": "Not kept"})
        except UserError as fault:
            return 503, self._rendered("fault", {"fault": str(fault), "title": "Not to be seen"})

    def busy(self) -> str:
        """What is shown while too many look at once."""
        fault = "Too many look at once. Try again in a moment."
        return self._rendered("fault", {"fault": fault, "title": "Busy"})

    def _rendered(self, name: str, variables: dict[str, Any]) -> str:
        return self._environment.get_template(f"{name}.html.j2").render(page_name=name, **variables)

    def _instant(self, time_us: int) -> str:
        return f"{datetime_of(time_us, self._zone):%F %T}"


def _brief_list(names: Sequence[str]) -> str:
    """As many names as a box has room for, and how many more there are."""
    shown, room = [], _LINE
    for name in names:
        room -= len(name) + 2
        if room < 0:
            break
        shown.append(one_line(name))
    more = len(names) - len(shown)
    return ", ".join(shown) + (f" +{more}" if more else "")


def _number(text: str) -> int:
    """The number of a page, as somebody may have typed it."""
    return max(1, int(text)) if re.fullmatch("[0-9]{1,6}", text) else 1
