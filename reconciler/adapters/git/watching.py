"""Waits for commits and files to change. What counts is how they look now and how they looked when last asked about;
events of the file system only cut the waiting short, so that missing, doubling or inventing one does no harm."""

import asyncio
import os
import time
from collections.abc import Callable, Iterator
from contextlib import aclosing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TypeAlias

#: Seconds between two wakings, at least.
_PACE: Final = 0.2
#: Seconds after which it looks without an event: the network folder that sends none, the folder that was made again.
_LOOK: Final = 5.0
#: Milliseconds: how long a burst of events may be gathered, and how quiet it has to be for its end.
_BURST: Final = 1_600
_QUIET: Final = 100

#: Path, time of change, size, inode.
_Entry: TypeAlias = tuple[str, int, int, int]


@dataclass(frozen=True, slots=True)
class Places:
    """Where changes show. None of them need exist."""

    #: Folders with all that is in them, but for `.git`.
    trees: tuple[Path, ...]
    files: tuple[Path, ...] = ()
    #: A folder in one of the trees that does not count: looking at pull requests writes to it.
    beside: Path | None = None


class Watch:
    """What one process has seen of the places."""

    def __init__(self, places: Callable[[], Places]) -> None:
        self._places = places
        self._seen: int | None = None
        self._woken = -_PACE

    async def begin(self) -> None:
        """What changes after this is a change, though nobody waits for it yet."""
        if self._seen is None:
            self._seen = await asyncio.to_thread(lambda: _look(self._places()))

    async def changed(self, wait: float) -> bool:
        end = time.monotonic() + wait
        await self.begin()
        await _sleep_until(min(end, self._woken + _PACE))
        places = await asyncio.to_thread(self._places)
        while True:
            seen = await asyncio.to_thread(_look, places)
            if seen != self._seen:
                self._seen, self._woken = seen, time.monotonic()
                return True
            if time.monotonic() >= end:
                return False
            await _event(places, min(end, time.monotonic() + _LOOK))
            # Events that change nothing may come without end.
            await _sleep_until(min(end, time.monotonic() + _PACE))


async def _event(places: Places, end: float) -> None:
    """Until something happens there, or the moment `end`."""
    from watchfiles import awatch  # noqa: PLC0415 - 75 ms that only who waits has to pay

    left = max(1, int((end - time.monotonic()) * 1000))
    existing = [place for place in (*places.trees, *places.files) if place.exists()]
    # No inotify instance or watch is left, a place has gone since, or the file system has no events.
    with suppress(OSError, RuntimeError):
        async with aclosing(
            awatch(
                *existing,
                watch_filter=None,
                debounce=min(_BURST, left),
                step=_QUIET,
                rust_timeout=left,
                yield_on_timeout=True,
                ignore_permission_denied=True,
            )
        ) as batches:
            async for _ in batches:
                return
    await _sleep_until(end)


async def _sleep_until(moment: float) -> None:
    await asyncio.sleep(max(0.0, moment - time.monotonic()))


def _look(places: Places) -> int:
    """One number for all that is there; another one when something was written, made or removed."""
    found: set[_Entry] = set()
    for tree in places.trees:
        for path in _files(tree, places.beside):
            found.update(_entry(path))
    for file in places.files:
        found.update(_entry(str(file)))
    return hash(frozenset(found))


def _files(tree: Path, beside: Path | None) -> Iterator[str]:
    left_out = None if beside is None else str(beside)
    for place, folders, names in os.walk(tree):
        folders[:] = [name for name in folders if name != ".git" and os.path.join(place, name) != left_out]  # noqa: PTH118
        yield from (os.path.join(place, name) for name in names if not name.endswith(".lock"))  # noqa: PTH118 - faster


def _entry(path: str) -> Iterator[_Entry]:
    """None when it is gone."""
    with suppress(OSError):
        found = os.lstat(path)
        yield path, found.st_mtime_ns, found.st_size, found.st_ino
