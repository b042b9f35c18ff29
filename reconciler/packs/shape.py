"""Plain values to a pydantic document, with every misfit named in the users' words.

A misfit does not end the reading: it is replaced by an empty value, so that the checks that follow see the rest."""

from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass
from typing import Any, Final, Generic, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from reconciler.packs.finding import MAX_PROBLEMS, Finding, meant, nearest, shown
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
}
_EXPECTED: Final = {
    "string_type": ("text-expected", "text is"),
    "tuple_type": ("list-expected", "a list is"),
    "model_type": ("mapping-expected", "keys with values are"),
    "dict_type": ("mapping-expected", "keys with values are"),
    "bool_type": ("boolean-expected", "true or false is"),
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


def _mend(model: type[M], data: Any, error: ValidationError) -> Fitted[M]:
    findings: list[Finding] = []
    settled: set[Loc] = set()
    for _ in range(_ROUNDS):
        details = error.errors(include_url=False, include_context=False)
        # Unknown keys first: a misspelt key is not also a missing one.
        for each in sorted(details, key=lambda each: each["type"] != "extra_forbidden"):
            loc = each["loc"]
            if len(findings) <= MAX_PROBLEMS and not is_settled(loc, settled):
                findings.extend(_findings(model, each["type"], loc, each["input"]))
                settled.add(loc)
                settled.update(_meant_instead(model, data, each["type"], loc))
            if not loc:
                return Fitted(None, findings, frozenset(settled))
            _replace(data, loc, each["type"])
        try:
            return Fitted(model.model_validate(data), findings, frozenset(settled))
        except ValidationError as next_error:
            error = next_error
    return Fitted(None, findings, frozenset(settled))


def _copied(data: object) -> object:
    if isinstance(data, dict):
        return {key: _copied(value) for key, value in data.items()}
    return [_copied(value) for value in data] if isinstance(data, list) else data


def _meant_instead(model: type[BaseModel], data: object, kind: str, loc: Loc) -> Sequence[Loc]:
    """A key that is only missing because it was misspelt."""
    if kind != "extra_forbidden":
        return []
    found = nearest(str(loc[-1]), _known_keys(model, loc[:-1]))
    return [(*loc[:-1], found)] if found and found not in _at(data, loc[:-1]) else []


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


def _findings(model: type[BaseModel], kind: str, loc: Loc, found: object) -> list[Finding]:
    if kind == "extra_forbidden":
        return [_unknown_key(model, loc)]
    if kind == "missing":
        return [Finding(loc, "key-missing", f'"{loc[-1]}" is missing', f'add "{loc[-1]}: ..."')]
    if found is Odd.REFUSED:
        return []
    rule, expected = _EXPECTED[kind]
    if found is Odd.NULL:
        return [_null(model, loc, kind)]
    message = f"{expected} expected here, not {_described(found)}"
    hint = f"the keys here are {', '.join(_known_keys(model, loc))}" if kind == "model_type" else _hint(kind, found)
    return [Finding(loc, rule, message, hint)]


def _unknown_key(model: type[BaseModel], loc: Loc) -> Finding:
    known = _known_keys(model, loc[:-1])
    message = f"unknown key {shown(str(loc[-1]))}"
    hint = meant(str(loc[-1]), known, f"the keys here are {', '.join(known)}")
    return Finding(loc, "key-unknown", message, hint, at_key=True)


def _null(model: type[BaseModel], loc: Loc, kind: str) -> Finding:
    if not loc:
        return Finding(loc, "file-empty", "the file holds nothing", "write a pack, or delete the file")
    if isinstance(loc[-1], int):
        return Finding(loc, "null-value", "this entry of the list is empty", "remove it, or write a value")
    field = _model_at(model, loc[:-1]).model_fields.get(loc[-1])
    clear = {"string_type": '"" to clear it', "tuple_type": "[] for none"}.get(kind)
    if field is not None and field.is_required():
        hint = "write its value"
    else:
        hint = (
            f"write its value, leave the key out, or write {clear}"
            if clear
            else "write its value, or leave the key out"
        )
    return Finding(loc, "null-value", f'"{loc[-1]}" has no value', hint)


def _described(found: object) -> str:
    match found:
        case Number(text):
            return f"the number {text}"
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
    return ""


def _known_keys(model: type[BaseModel], loc: Loc) -> Sequence[str]:
    return list(_model_at(model, loc).model_fields)


def _model_at(model: type[BaseModel], loc: Loc) -> type[BaseModel]:
    for part in loc:
        if isinstance(part, str) and part in model.model_fields:
            model = _model_in(model.model_fields[part].annotation) or model
    return model


def _model_in(annotation: Any) -> type[BaseModel] | None:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        return annotation
    return next(filter(None, map(_model_in, get_args(annotation))), None)
