"""How Python's garbage collector behaves while many packs are read or planned: what is built then is kept, and is not
to be looked through again and again. What is dropped young, as by workbooks and answers, is collected as ever."""

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from threading import Lock
from typing import Final

#: Collections of the middle generation before one of everything: so many that there is none.
_NEVER: Final = 1_000_000
_CHANGING: Final = Lock()


@contextmanager
def keeping_all() -> Iterator[None]:
    """No look through all objects of the process; of two that read at once, the first to begin decides."""
    with _CHANGING:
        young, middle, old = gc.get_threshold()
        if old != _NEVER:
            gc.set_threshold(young, middle, _NEVER)
    try:
        yield
    finally:
        if old != _NEVER:
            gc.set_threshold(young, middle, old)
