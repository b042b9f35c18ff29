"""Which keys a document takes at any place of a file: the models' fields as a tree that a Loc walks through."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from types import NoneType, UnionType
from typing import Annotated, Any, Final, Union, get_args, get_origin

from pydantic import BaseModel

from reconciler.packs.tree import Loc


@dataclass(frozen=True, slots=True)
class Slot:
    """What may stand at one place."""

    fields: Mapping[str, "Slot"] = field(default_factory=dict)
    required: frozenset[str] = frozenset()
    #: What every entry of a list, or every value of a mapping with free keys, is.
    each: "Slot | None" = None
    #: Text or keys with values. pydantic then names the alternative it tried in its locs.
    is_either: bool = False

    def at(self, loc: Loc) -> "Slot":
        slot = self
        for part in loc:
            slot = slot.fields.get(str(part)) or slot.each or _ANYTHING
        return slot

    def plain(self, loc: Loc) -> tuple[Loc, bool]:
        """The loc without the names of alternatives, and whether it ends at a place that has some."""
        parts: list[str | int] = []
        slot, is_named = self, False
        for part in loc:
            if slot.is_either and not is_named:
                is_named = True
                continue
            parts.append(part)
            slot, is_named = slot.fields.get(str(part)) or slot.each or _ANYTHING, False
        return tuple(parts), slot.is_either


_ANYTHING: Final = Slot()


@cache
def slot_of(model: type[BaseModel]) -> Slot:
    fields = {name: _slot(each.annotation) for name, each in model.model_fields.items()}
    return Slot(fields, frozenset(name for name, each in model.model_fields.items() if each.is_required()))


def _slot(annotation: Any) -> Slot:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return slot_of(annotation)
    origin, inner = get_origin(annotation), get_args(annotation)
    if origin is Annotated:
        return _slot(inner[0])
    if origin in {Union, UnionType}:
        choices = [_slot(each) for each in inner if each is not NoneType]
        merged = next((each for each in choices if each.fields or each.each), _ANYTHING)
        return Slot(merged.fields, merged.required, merged.each, is_either=True) if len(choices) > 1 else merged
    return Slot(each=_slot(inner[1 if issubclass(origin, Mapping) else 0])) if origin else _ANYTHING
