"""Plain values to a pydantic document, with every misfit named in the users' words.

A misfit does not end the reading: it is replaced by an empty value, so that the checks that follow see the rest."""

from collections.abc import Iterator, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, Generic, NamedTuple, TypeVar

from pydantic import BaseModel, ValidationError

from reconciler.packs.finding import MAX_PROBLEMS, Finding, meant, nearest, shown
from reconciler.packs.slots import Slot, slot_of
from reconciler.packs.tree import Loc, Number, Odd

M = TypeVar("M", bound=BaseModel)

#: What stands in for a misfit, by pydantic's error type.
_STAND_INS: Final = {
    "missing": str,
    "string_type": str,
    "tuple_type": list,
    "model_type": dict,
    "dict_type": dict,
    "bool_type": bool,
    "int_type": int,
}
_EXPECTED: Final = {
    "string_type": ("text-expected", "text is"),
    "tuple_type": ("list-expected", "a list is"),
    "model_type": ("mapping-expected", "keys with values are"),
    "dict_type": ("mapping-expected", "keys with values are"),
    "bool_type": ("boolean-expected", "true or false is"),
    "int_type": ("integer-expected", "a whole number is"),
}
#: A missing mapping takes two rounds, and what is missing inside it one more.
_ROUNDS: Final = 5


@dataclass(frozen=True, slots=True)
class Fitted(Generic[M]):
    #: Mended where there are findings; None when too little of it is there.
    document: M | None
    findings: Sequence[Finding] = ()
    #: Where something has been said already: whatever a check finds there would only be a consequence.
    settled: frozenset[Loc] = frozenset()


def fit(model: type[M], data: object) -> Fitted[M]:
    try:
        return Fitted(model.model_validate(data))
    except ValidationError as error:
        return _mend(model, _copied(data), error)


class _Misfit(NamedTuple):
    #: pydantic's error type.
    kind: str
    loc: Loc
    found: object


def _mend(model: type[M], data: Any, error: ValidationError) -> Fitted[M]:
    findings: list[Finding] = []
    settled: set[Loc] = set()
    slot = slot_of(model)
    for _ in range(_ROUNDS):
        # Unknown keys first: a misspelt key is not also a missing one.
        for misfit in sorted(_misfits(slot, error), key=lambda each: each.kind != "extra_forbidden"):
            loc = misfit.loc
            if len(findings) <= MAX_PROBLEMS and not is_settled(loc, settled):
                findings.extend(_findings(slot, misfit))
                settled.add(loc)
                settled.update(_meant_instead(slot, data, misfit))
            if not loc:
                return Fitted(None, findings, frozenset(settled))
            _replace(data, loc, misfit.kind)
        try:
            return Fitted(model.model_validate(data), findings, frozenset(settled))
        except ValidationError as next_error:
            error = next_error
    return Fitted(None, findings, frozenset(settled))


def _misfits(slot: Slot, error: ValidationError) -> Iterator[_Misfit]:
    """Where text or keys with values may stand, pydantic tells why it is neither: only one of the two was meant."""
    for each in error.errors(include_url=False, include_context=False):
        kind, found = each["type"], each["input"]
        loc, ends_at_either = slot.plain(each["loc"])
        is_other = ends_at_either and (kind == "model_type" or (kind == "string_type" and isinstance(found, dict)))
        if not is_other:
            yield _Misfit(kind, loc, found)


def _copied(data: object) -> object:
    if isinstance(data, dict):
        return {key: _copied(value) for key, value in data.items()}
    return [_copied(value) for value in data] if isinstance(data, list) else data


def _meant_instead(slot: Slot, data: object, misfit: _Misfit) -> Sequence[Loc]:
    """A key that is only missing because it was misspelt."""
    if misfit.kind != "extra_forbidden":
        return []
    around = misfit.loc[:-1]
    found = nearest(str(misfit.loc[-1]), slot.at(around).fields)
    return [(*around, found)] if found and found not in _at(data, around) else []


def is_settled(loc: Loc, settled: AbstractSet[Loc]) -> bool:
    return any(loc[:length] in settled for length in range(len(loc) + 1))


def _replace(data: Any, loc: Loc, kind: str) -> None:
    around, last = _at(data, loc[:-1]), loc[-1]
    if kind == "extra_forbidden":
        del around[last]
    else:
        around[last] = _STAND_INS[kind]()


def _at(data: Any, loc: Loc) -> Any:
    for part in loc:
        data = data[part]
    return data


def _findings(root: Slot, misfit: _Misfit) -> list[Finding]:
    kind, loc, found = misfit
    if kind == "extra_forbidden":
        return [_unknown_key(root, loc)]
    if kind == "missing":
        return [Finding(loc, "key-missing", f'"{loc[-1]}" is missing', f'add "{loc[-1]}: ..."')]
    if found is Odd.REFUSED:
        return []
    if found is Odd.NULL:
        return [_null(root, loc, kind)]
    slot = root.at(loc)
    rule, expected = _EXPECTED[kind]
    if slot.is_either:
        expected = "text, or keys with values, is"
    message = f"{expected} expected here, not {_described(found)}"
    hint = f"the keys here are {', '.join(slot.fields)}" if kind == "model_type" else _hint(kind, found)
    return [Finding(loc, rule, message, hint)]


def _unknown_key(root: Slot, loc: Loc) -> Finding:
    known = root.at(loc[:-1]).fields
    message = f"unknown key {shown(str(loc[-1]))}"
    hint = meant(str(loc[-1]), known, f"the keys here are {', '.join(known)}")
    return Finding(loc, "key-unknown", message, hint, at_key=True)


def _null(root: Slot, loc: Loc, kind: str) -> Finding:
    if not loc:
        return Finding(loc, "file-empty", "the file holds nothing", "write a pack, or delete the file")
    if isinstance(loc[-1], int):
        return Finding(loc, "null-value", "this entry of the list is empty", "remove it, or write a value")
    around = root.at(loc[:-1])
    clear = {"string_type": '"" to clear it', "tuple_type": "[] for none", "dict_type": "{} for none"}.get(kind)
    if loc[-1] in around.required:
        hint = "write its value"
    elif clear:
        hint = f"write its value, leave the key out, or write {clear}"
    else:
        hint = "write its value, or leave the key out"
    return Finding(loc, "null-value", f"{shown(loc[-1])} has no value", hint)


def _described(found: object) -> str:
    match found:
        case Number(text):
            return f"the number {shown(text)[1:-1]}"
        case bool():
            return str(found).lower()
        case str():
            return f"the text {shown(found)}"
        case list():
            return "a list"
        case _:
            return "keys with values"


def _hint(kind: str, found: object) -> str:
    if kind == "string_type" and isinstance(found, Number | bool):
        return f'write it in quotes: "{_described(found).removeprefix("the number ")}"'
    if kind == "tuple_type" and isinstance(found, str | Number):
        return "write one entry per line, each after a dash"
    if kind == "tuple_type" and isinstance(found, dict):
        return "begin each entry with a dash"
    if kind == "bool_type":
        return "write true or false, without quotes"
    if kind == "int_type":
        return "write it in at most 18 digits, without quotes"
    return ""
