"""What each page shows. Everything that a log line may hold is escaped by the templates."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Mapping
from datetime import datetime, tzinfo
from typing import Any

from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from pyruse import Observer, UserError, datetime_of, one_line, parse_network, printable, shortened
from pyruse_web import graph

_ROWS = 200
"""Of each section of the report."""
_BANS = 100
"""On one page."""
_LONGEST = 2000
"""Characters of a message."""

Query = Mapping[str, str]
View = Callable[[Query], tuple[int, str]]
"""Gives the code of the answer, and the page."""


class Views:
    """The pages. Each takes what there is at the moment, in whatever thread it is called."""

    def __init__(self, observer: Observer, zone: tzinfo) -> None:
        self._observer = observer
        self._zone = zone
        self._environment = Environment(
            loader=PackageLoader("pyruse_web"),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
            finalize=_harmless,
        )
        self._environment.filters.update(
            brief=lambda text: shortened(text, _LONGEST),
            clock=lambda moment: f"{moment:%T}",
            instant=self._instant,
            iso=lambda text: f"{datetime.fromisoformat(text):%F %T}",
            number="{:,}".format,
            one_line=one_line,
        )
        self._environment.globals.update(box=graph.WIDTH, head=graph.HEAD, row=graph.ROW)

    def today(self, query: Query) -> tuple[int, str]:
        """The report of today so far."""

        def look() -> dict[str, Any]:
            status, report = self._observer.status(), self._observer.report(_ROWS)
            totals = {
                "important": sum(row.count for row in report.important),
                "interesting": sum(row.count for row in report.interesting),
                "other": len(report.other),
            }
            for section, count in report.left_out.items():
                totals[section] += count
            return {"status": status, "report": report, "totals": totals}

        return self._page("today", look)

    def bans(self, query: Query) -> tuple[int, str]:
        """The bans in force, the newest first; those that are asked for, page by page."""

        def look() -> dict[str, Any]:
            wanted = query.get("q", "").strip()
            bans = self._observer.bans()[::-1]
            found = list(filter(_finder(wanted), bans)) if wanted else bans
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
        """The chains as a graph and as tables, with what went through them."""

        def look() -> dict[str, Any]:
            chains = self._observer.chains()
            daemon = self._observer.status()["daemon"] or {}
            counted = {chain["chain"]: chain for chain in daemon.get("chains") or []}
            for chain in chains:
                numbers = counted.get(chain["chain"])
                steps = {step["index"]: step for step in numbers["steps"]} if numbers else {}
                chain["entries"] = None if numbers is None else numbers["entries"]
                for step in chain["steps"]:
                    there = steps.get(step["index"])
                    step["seen"] = None if there is None else there["seen"]
                    step["passed"] = None if there is None else there["passed"]
            return {"chains": chains, "graph": graph.drawn(chains), "counted": bool(counted)}

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
        except UserError as fault:
            return 503, self._rendered("fault", {"fault": str(fault)})

    def _rendered(self, name: str, variables: dict[str, Any]) -> str:
        return self._environment.get_template(f"{name}.html.j2").render(page_name=name, **variables)

    def _instant(self, time_us: int) -> str:
        return f"{datetime_of(time_us, self._zone):%F %T}"


def _finder(wanted: str) -> Callable[[Mapping[str, Any]], bool]:
    """Tells of a ban whether it is of an address or network, or has a text, that is asked for."""
    text = wanted.casefold()
    try:
        network = parse_network(wanted)
    except ValueError:
        fields = ("ip", "label", "chain", "reason")
        return lambda ban: any(text in ban[field].casefold() for field in fields)

    def touches(ban: Mapping[str, Any]) -> bool:
        # Also a network around it: who is in there is banned as well.
        banned = ipaddress.ip_network(ban["ip"])
        return banned.version == network.version and banned.overlaps(network)

    return touches


def _number(text: str) -> int:
    """The number of a page, as somebody may have typed it."""
    return max(1, int(text)) if re.fullmatch("[0-9]{1,6}", text) else 1


def _harmless(value: Any) -> Any:
    """Whatever a template prints: controls and what reorders text are shown as escapes."""
    return Markup(printable(value)) if isinstance(value, Markup) else printable(str(value))
