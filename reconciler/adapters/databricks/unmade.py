"""Dataclasses that are made when one is first used. Making one compiles a function for each of its methods, and of what
the SDK defines most is never used. To whoever looks, it is what `dataclass` makes."""

import threading
from dataclasses import dataclass
from typing import Final, TypeVar

T = TypeVar("T", bound=type)


class _Bare:
    """Nothing."""


@dataclass
class _Made:
    """Something."""


#: What `dataclass` adds to a class in this version of Python; `__hash__` is None, and so at hand.
_ADDED: Final = frozenset(_Made.__dict__.keys() - _Bare.__dict__.keys() - {"__hash__"})
#: One at a time: those they inherit from are made with them.
_MAKING: Final = threading.RLock()


def made_when_used(cls: T) -> T:
    """As `dataclass`, without options."""
    missing = _ADDED - cls.__dict__.keys()
    if not cls.__doc__:
        missing |= {"__doc__"}
    stand_ins: dict[str, object] = {name: _Unmade(cls, name, missing) for name in missing}
    if "__eq__" in missing and "__hash__" not in cls.__dict__:
        stand_ins["__hash__"] = None
    for name, value in stand_ins.items():
        setattr(cls, name, value)
    return cls


class _Unmade:
    """Stands where a dataclass will have something, and makes the dataclass when it is asked for."""

    def __init__(self, cls: type, name: str, missing: frozenset[str]) -> None:
        self._cls = cls
        self._name = name
        self._missing = missing

    def __get__(self, instance: object, owner: type | None = None) -> object:
        with _MAKING:
            if self._cls.__dict__[self._name] is self:
                self._make()
        made = self._cls.__dict__[self._name]
        bind = getattr(type(made), "__get__", None)
        return made if bind is None else bind(made, instance, owner)

    def _make(self) -> None:
        """Of a copy: nobody shall meet a class that is half made."""
        cls = self._cls
        left_out = {*self._missing, "__dict__", "__weakref__"}
        body = {name: value for name, value in cls.__dict__.items() if name not in left_out}
        copy: type = dataclass(type(cls)(cls.__name__, cls.__bases__, body))
        for name in self._missing:
            setattr(cls, name, copy.__dict__[name])
