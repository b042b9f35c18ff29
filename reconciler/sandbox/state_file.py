"""Keeps a sandbox's state on disk: one JSON file, replaced as a whole.

With the seed it was written under, everything comes back. After the seed was edited only what the API made comes back
(recipients and shares); catalogs, grants and the metastore are then those of the new seed.
"""

import json
import os
from collections.abc import Mapping
from dataclasses import asdict, fields, is_dataclass
from pathlib import Path
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from reconciler.sandbox.names import key
from reconciler.sandbox.records import Metastore, Recipient, Share, Table
from reconciler.sandbox.state import State

_FORMAT = 1
Record = TypeVar("Record")


class StateFileError(ValueError):
    """The file cannot be read as the state of a sandbox; it is left as it is."""


def save(state: State, path: Path) -> None:
    document = {
        "format": _FORMAT,
        "seed": state.seed.digest,
        "clock_offset_ms": state.clock.offset_ms,
        "used_links": sorted(state.used_links),
        "recipients": [asdict(each) for each in state.recipients.values()],
        "shares": [asdict(each) for each in state.shares.values()],
        "metastore": asdict(state.metastore),
        "tables": [asdict(each) for each in state.tables.values()],
        "grants": [[*securable, held] for securable, held in state.grants.items()],
    }
    text = json.dumps(document, default=sorted)
    written = path.with_name(f".{path.name}.{os.getpid()}")
    # The file holds activation secrets, so nobody but its owner may read it.
    with open(os.open(written, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w", encoding="utf-8") as file:  # noqa: PTH123
        file.write(text)
    written.replace(path)


def load(state: State, path: Path) -> None:
    """Puts the kept state in place; a missing file means there is none yet."""
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return
    except ValueError:
        raise StateFileError(f"{path} is not JSON; move it away to start from the seed") from None
    if not isinstance(document, dict) or document.get("format") != _FORMAT:
        raise StateFileError(f"{path} is not a sandbox state of format {_FORMAT}; move it away to start from the seed")
    try:
        _restore(state, document)
    except (KeyError, TypeError, ValueError, AttributeError):
        raise StateFileError(f"{path} is damaged; move it away to start from the seed") from None


def _restore(state: State, document: Mapping[str, Any]) -> None:
    state.clock.offset_ms = document["clock_offset_ms"]
    state.used_links = set(document["used_links"])
    for each in document["recipients"]:
        state.put_recipient(_record(Recipient, each))
    for each in document["shares"]:
        state.put_share(_record(Share, each))
    if document["seed"] == state.seed.digest:
        state.metastore = _record(Metastore, document["metastore"])
        tables = [_record(Table, each) for each in document["tables"]]
        state.tables = {key(each.full_name): each for each in tables}
        state.grants = {
            (kind, name): {principal: frozenset(privileges) for principal, privileges in held.items()}
            for kind, name, held in document["grants"]
        }


def _record(kind: type[Record], value: Mapping[str, Any]) -> Record:
    hints = get_type_hints(kind)
    assert is_dataclass(kind)  # noqa: S101 (tells the type checker)
    return kind(**{each.name: _value(hints[each.name], value[each.name]) for each in fields(kind)})


def _value(kind: Any, value: Any) -> Any:
    """Turns what JSON kept back into the type the record says."""
    inner = get_args(kind)
    match get_origin(kind):
        case origin if value is None or (origin is None and not is_dataclass(kind)):
            return value
        case None:
            return _record(kind, value)
        case origin if origin in {Union, UnionType}:
            return _value(next(each for each in inner if each is not NoneType), value)
        case origin if origin is tuple:
            return tuple(_value(inner[0], each) for each in value)
        case origin if origin is frozenset:
            return frozenset(value)
        case _:
            return {name: _value(inner[1], each) for name, each in value.items()}
