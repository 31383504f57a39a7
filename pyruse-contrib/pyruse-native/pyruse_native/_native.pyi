"""What ``src/*.c`` has."""

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Self

class Reader:
    data_threshold: int
    is_bloated: bool
    def __init__(self, files: list[str]) -> None: ...
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
        entrance: Any = ...,
        hour: Any = ...,
    ) -> None: ...
    def __iter__(self) -> Self: ...
    def __next__(self) -> Any: ...

class EntryCore: ...

def with_help(
    *,
    as_text: Callable[[Any], str],
    encodable: Callable[[str], str],
    set_many: Callable[[Any, Mapping[str, Any]], None],
    gone: str,
) -> type[EntryCore]: ...
def guard() -> None: ...
def unreadable_pages() -> int: ...
