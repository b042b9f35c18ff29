"""API keys for people and as JSON: what each may do, for whom, and whether it still opens anything. Nothing here ever
knew the secret of one."""

import json
from collections.abc import Iterator, Sequence
from datetime import datetime
from typing import Any, Final

from reconciler.ports.keyring import ApiKey
from reconciler.render.lines import Line, Span, Tone, line, table
from reconciler.render.moments import iso, to_the_minute

_HEADINGS: Final = ("id", "name", "right", "lines", "state", "last used")
#: Minor: readers may ignore what they do not know.
_FORMAT_VERSION: Final = "1.0"


def keys_lines(keys: Sequence[ApiKey], now: datetime) -> Iterator[Line]:
    """In the order of `keys`."""
    if not keys:
        yield line("There is no API key. `sharepack keys create NAME --line LINE` makes one.")
        return
    yield from table(_HEADINGS, [_row(key, now) for key in keys])


def keys_json(keys: Sequence[ApiKey], now: datetime) -> str:
    return json.dumps({"format_version": _FORMAT_VERSION, "keys": [_value(key, now) for key in keys]}, indent=2) + "\n"


def lines_words(key: ApiKey) -> str:
    if key.lines is None:
        return "all business lines"
    return ", ".join(key.lines)


def ends_words(key: ApiKey) -> str:
    return "does not end by itself" if key.expires_at is None else f"ends at {to_the_minute(key.expires_at)}"


def state(key: ApiKey, now: datetime) -> str:
    """`valid`, `ended`, `revoked`."""
    if key.revoked_at is not None:
        return "revoked"
    return "ended" if key.expires_at is not None and key.expires_at <= now else "valid"


def _row(key: ApiKey, now: datetime) -> tuple[Span, ...]:
    how = state(key, now)
    tone = Tone.PLAIN if how == "valid" else Tone.DIM
    lines = "all" if key.lines is None else ", ".join(key.lines)
    texts = (key.id, key.name, str(key.right), lines, _state_words(key, how), _day(key.used_at) or "never")
    return tuple(Span(text, tone) for text in texts)


def _state_words(key: ApiKey, how: str) -> str:
    match how:
        case "valid":
            return "valid" if key.expires_at is None else f"until {_day(key.expires_at)}"
        case "ended":
            return f"ended {_day(key.expires_at)}"
        case _:
            return f"revoked {_day(key.revoked_at)}"


def _day(at: datetime | None) -> str:
    return "" if at is None else to_the_minute(at)[:10]


def _value(key: ApiKey, now: datetime) -> dict[str, Any]:
    return {
        "id": key.id,
        "name": key.name,
        "right": str(key.right),
        "business_lines": None if key.lines is None else list(key.lines),
        "state": state(key, now),
        "created_by": key.created_by,
        "created_at": _moment(key.created_at),
        "expires_at": _moment(key.expires_at),
        "revoked_at": _moment(key.revoked_at),
        "used_at": _moment(key.used_at),
    }


def _moment(at: datetime | None) -> str | None:
    return None if at is None else iso(at)
