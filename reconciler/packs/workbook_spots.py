"""Where the values of a sheet's rows stand, worked out when it is asked for: of most rows nobody ever does."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final, overload

from reconciler.packs.tree import Position, Spot


class RowSpots(Sequence[Spot]):
    """The spots beside the entries of a sheet. What was asked for is kept, so that it may be added to."""

    __slots__ = ("_entries", "_kept", "_named", "_title", "letters", "numbers")

    def __init__(self, title: str, letters: Mapping[str, str], named_by: str, entries: Sequence[Any]) -> None:
        self._title: Final = title
        self._named: Final = letters.get(named_by) or next(iter(letters.values()), "")
        self._entries: Final = entries
        self._kept: Final[dict[int, Spot]] = {}
        #: Of each column that is read.
        self.letters: Final = letters
        #: The row of each entry.
        self.numbers: Final[list[int]] = []

    def named(self) -> Iterator[Position]:
        """Where each entry is named."""
        return ((self._title, f"{self._named}{number}") for number in self.numbers)

    def __len__(self) -> int:
        return len(self.numbers)

    @overload
    def __getitem__(self, index: int) -> Spot: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[Spot]: ...
    def __getitem__(self, index: int | slice) -> Spot | Sequence[Spot]:
        if isinstance(index, slice):
            return [self[each] for each in range(len(self))[index]]
        position = range(len(self))[index]
        if position not in self._kept:
            self._kept[position] = self._spot(position)
        return self._kept[position]

    def _spot(self, position: int) -> Spot:
        entry, number = self._entries[position], self.numbers[position]
        places: dict[str, Position] = {name: (self._title, f"{each}{number}") for name, each in self.letters.items()}
        named_at = (self._title, f"{self._named}{number}")
        if not isinstance(entry, dict):
            return Spot(named_at)
        return Spot(named_at, None, {name: cell_spot(entry.get(name), at) for name, at in places.items()})


def cell_spot(value: object, at: Position) -> Spot:
    match value:
        case list():
            return Spot(at, at, [at] * len(value))
        case dict():
            return Spot(at, at, {key: Spot(at, at) for key in value})
        case _:
            return Spot(at, at)
