"""How much waits in the outbox of what a plugin sends, so that it can be kept bounded."""

from __future__ import annotations

from collections.abc import Iterator


class Backlog:
    """The items of one kind that wait, in the order in which they were put in, with their sizes."""

    def __init__(self) -> None:
        self._sizes: dict[str, int] = {}
        self.size = 0
        """The characters of all of them together."""

    def __len__(self) -> int:
        return len(self._sizes)

    def put(self, item_id: str, size: int) -> None:
        """Count an item, or count it anew."""
        self.size += size - self._sizes.get(item_id, 0)
        self._sizes[item_id] = size

    def remove(self, item_id: str) -> None:
        """Count an item no longer."""
        self.size -= self._sizes.pop(item_id, 0)

    def beyond(self, number: int, size: int) -> Iterator[str]:
        """The oldest items, without which so many, of so many characters, are left."""
        left, left_size = len(self), self.size
        for item_id, its_size in self._sizes.items():
            if left <= number and left_size <= size:
                return
            left -= 1
            left_size -= its_size
            yield item_id
