"""Whoever looks at a dataclass that is made when used sees what `dataclass` makes, whatever is asked first."""

import copy
import dataclasses
import inspect
import pickle
import threading
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from typing import Any

import pytest

from reconciler.adapters.databricks.unmade import made_when_used


def written(decorate: Callable[[type], type]) -> tuple[type, type, type]:
    """A class with all there is, one that inherits from it, and one that brings methods of its own."""

    class Table:
        name: str
        columns: list[str] = field(default_factory=list)
        owner: str | None = None

        def shouted(self) -> str:
            return self.name.upper()

    class View(decorate(Table)):  # type: ignore[misc]
        """Has words of its own."""

        definition: str = ""

    class Own:
        ""

        name: str

        def __init__(self, name: str) -> None:
            self.name = f"own {name}"

        def __eq__(self, other: object) -> bool:
            return isinstance(other, type(self))

        def __hash__(self) -> int:
            return 7

    return View.__mro__[1], decorate(View), decorate(Own)


def facts(cls: type) -> dict[str, Any]:
    """What can be told of a class and its instances, by what is asked."""
    return {
        "is a dataclass": lambda: dataclasses.is_dataclass(cls),
        "fields": lambda: [(each.name, each.type, each.default) for each in dataclasses.fields(cls)],
        "parameters": lambda: repr(cls.__dataclass_params__),  # type: ignore[attr-defined]
        "signature": lambda: str(inspect.signature(cls)),
        "words": lambda: cls.__doc__,
        "matched by": lambda: cls.__match_args__,  # type: ignore[attr-defined]
        "can be hashed": lambda: issubclass(cls, Hashable),
        "shown": lambda: repr(cls("t")).partition(".<locals>.")[2] or type(cls("t")).__name__,
        "equal": lambda: (cls("t") == cls("t"), cls("t") == cls("u"), cls("t") == 1),
        "attributes": lambda: vars(cls("t")),
        "replaced": lambda: vars(dataclasses.replace(cls("t"), name="u")),
        "copied": lambda: vars(copy.deepcopy(cls("t"))),
        "wrong arguments": lambda: wrong(cls),
        "names": lambda: {name for name in dir(cls) if name.startswith("__")},
        "name": lambda: (cls.__name__, cls.__qualname__.rpartition(".")[2], cls.__module__),
    }


def wrong(cls: type) -> str:
    with pytest.raises(TypeError) as caught:
        cls(nothing=1)
    return str(caught.value).rpartition(".")[2]


@pytest.mark.parametrize("number", [0, 1, 2], ids=["plain", "inherits", "own methods"])
@pytest.mark.parametrize("asked_first", facts(object))
def test_it_is_what_dataclass_makes(number: int, asked_first: str) -> None:
    expected = {what: ask() for what, ask in facts(written(dataclass)[number]).items()}
    asked = facts(written(made_when_used)[number])
    found = {asked_first: asked[asked_first]()}
    assert found | {what: ask() for what, ask in asked.items()} == expected


def test_a_method_of_what_inherits_from_it_can_call_its_own() -> None:
    table = written(made_when_used)[0]

    class Longer(table):  # type: ignore[misc, valid-type]
        def __init__(self, name: str) -> None:
            super().__init__(name, owner="me")

        def __repr__(self) -> str:
            return f"longer {super().__repr__()}"

    longer: Any = Longer("t")
    assert (longer.shouted(), longer.owner) == ("T", "me")
    assert repr(longer).startswith("longer ")
    assert longer.columns is not Longer("t").columns


@made_when_used
class Kept:
    name: str


def test_one_that_comes_out_of_a_file_before_any_was_made() -> None:
    with_name = Kept.__new__(Kept)
    with_name.name = "t"
    assert "_Unmade" in type(Kept.__dict__["__init__"]).__name__
    loaded = pickle.loads(pickle.dumps(with_name))
    assert loaded == with_name
    assert repr(loaded) == "Kept(name='t')"


def test_it_is_made_once_however_many_threads_ask_at_once() -> None:
    for _ in range(20):
        table, start, made = written(made_when_used)[0], threading.Barrier(8), list[object]()

        def ask(table: type = table, start: threading.Barrier = start, made: list[object] = made) -> None:
            start.wait()
            made.append(table("t"))

        threads = [threading.Thread(target=ask) for _ in range(8)]
        for each in threads:
            each.start()
        for each in threads:
            each.join()
        assert made == [table("t")] * 8
