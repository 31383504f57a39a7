"""What ``src/*.c`` has."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

class Reader:
    data_threshold: int
    is_bloated: bool
    is_direct: bool
    given_directly: int
    def __init__(self, files: list[str], whole: list[bool] = ...) -> None: ...
    def decode_with(
        self, decoder: Callable[[str, bytes], Any], converters: Mapping[str, Any], longest: int, /
    ) -> None: ...
    def close(self) -> None: ...

class Entries(Iterator[Any]):
    def __init__(
        self,
        reader: Reader,
        owner: Any,
        type: type,
        limit: int,
        lead: Lead = ...,
        hour: Any = ...,
    ) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...

class EntryCore: ...

class NodeCore:
    step: Any
    call: Callable[[Any], Any]
    passed: Any
    failed: Any
    faulty: Any
    branch: Any
    field: str
    ways: dict[Any, Any]

class Condition:
    def __init__(
        self,
        method: Callable[[Any], Any],
        kind: str,
        field: str,
        operand: Any = ...,
        saved: Any = ...,
    ) -> None: ...
    def __call__(self, entry: Any, /) -> bool: ...

class Lead:
    def __init__(
        self, entrance: Any, on_fault: Callable[[Any, Any, BaseException], None]
    ) -> None: ...
    @property
    def node(self) -> Any: ...
    def lead(self, entry: Any, /) -> None: ...

class Tallying:
    def __init__(
        self,
        says: dict[str, str],
        fills: tuple[tuple[str, Callable[[Any], str]], ...],
        fields: tuple[str, ...],
        amount: str | None,
        longest: int,
        add: Callable[[tuple[str, ...], int, int], None],
        days: Any,
    ) -> None: ...
    def go_on(
        self,
        rows: dict[tuple[str, ...], list[int]],
        changed: set[tuple[str, ...]],
        begin: int,
        end: int,
        reported: str,
        /,
    ) -> None: ...

class Filling:
    def __init__(
        self,
        pieces: tuple[str, ...],
        fields: tuple[str, ...],
        slowly: Callable[[Any], str],
    ) -> None: ...
    def render(self, entry: Any, /) -> str: ...

class CountsCore:
    count: int
    first: int
    last: int

class FilingCore: ...

class Filer:
    def __init__(
        self,
        filing: FilingCore,
        call: Callable[[Any], Any],
        filling: Filling,
        masker: Masker,
        text: str | None,
        is_templated: bool,
        own: str | None,
        quote: Callable[[Any, str], str | None] | None,
    ) -> None: ...
    def __call__(self, entry: Any, /) -> Any: ...

class Clock:
    def __init__(
        self, quarter_of: Callable[[int], str | tuple[int, int, int, str, str]]
    ) -> None: ...
    def text(self, time_us: int, /) -> str: ...

class Masker:
    def __init__(
        self,
        chunks: dict[str, str],
        of_chunks: dict[str, str],
        slowly: Callable[[str], str],
        of_chunk: Callable[[str], str],
        finished: Callable[[str], str],
    ) -> None: ...
    def template_of(self, text: str, /) -> str: ...

def with_help(
    *,
    as_text: Callable[[Any], str],
    encodable: Callable[[str], str],
    set_many: Callable[[Any, Mapping[str, Any]], None],
    set_one: Callable[[Any, str, Any], None],
    remove: Callable[[Any, str], None],
    gone: str,
) -> type[EntryCore]: ...
def entries_are(type: type, /) -> None: ...
def search_with(
    *,
    needs_of: Callable[[Any], tuple[bytes, bytes, bool]],
    search_of: Callable[[Any, Any], tuple[Callable[[str], Any], tuple[tuple[int, str, bool], ...]]],
    address_text: Callable[[str], str | None],
) -> None: ...
def guard() -> None: ...
def unreadable_pages() -> int: ...
