"""Faults at Databricks, drawn at random: refusals, breakdowns, answers that are lost before and after the deed, delays,
throttling, and the switches of what is not known about the real service."""

from collections.abc import Mapping
from random import Random
from typing import Any, Final

from reconciler.sandbox import ControlClient

_ROOT: Final = "/api/2.1/unity-catalog"
_WRITES: Final = (f"POST {_ROOT}/*", f"PATCH {_ROOT}/*", f"DELETE {_ROOT}/*")
_PATTERNS: Final = (
    f"* {_ROOT}/*",
    f"GET {_ROOT}/*",
    *_WRITES,
    f"* {_ROOT}/shares*",
    f"* {_ROOT}/recipients*",
    f"* {_ROOT}/shares/*/permissions",
)
FAULTS: Final[Mapping[str, Mapping[str, Any]]] = {
    "429": {"status": 429, "error_code": "REQUEST_LIMIT_EXCEEDED"},
    "429 with Retry-After": {"status": 429, "error_code": "REQUEST_LIMIT_EXCEEDED", "retry_after": 1},
    "500": {"status": 500, "error_code": "INTERNAL_ERROR"},
    "500 after success": {"status": 500, "error_code": "INTERNAL_ERROR", "after_handler": True},
    "503": {"status": 503, "error_code": "TEMPORARILY_UNAVAILABLE"},
    "503 with Retry-After": {"status": 503, "error_code": "TEMPORARILY_UNAVAILABLE", "retry_after": 1},
    "504": {"status": 504, "error_code": "DEADLINE_EXCEEDED"},
    "504 after success": {"status": 504, "error_code": "DEADLINE_EXCEEDED", "after_handler": True},
    "dropped before": {"drop_connection": True},
    "dropped after success": {"drop_connection": True, "after_handler": True},
    "delayed": {"delay_ms": 300, "after_handler": True, "status": 504, "error_code": "DEADLINE_EXCEEDED"},
}
#: Each is answered with either value by some Databricks, so that all of it must end well under any mixture.
KNOBS: Final[Mapping[str, tuple[Any, ...]]] = {
    "stale_reads": (0, 1, 2),
    "already_exists_status": (400, 409),
    "token_order": ("newest", "oldest", "shuffle"),
    "multi_update_atomic": (True, False),
    "delete_with_grants": ("allowed", "refused"),
    "unknown_share_principal": ("PRINCIPAL_DOES_NOT_EXIST", "RECIPIENT_DOES_NOT_EXIST"),
    "retry_after_header": (True, False),
    "empty_middle_pages": (False, True),
    "shuffle_lists": (False, True),
    "empty_lists_omitted": (True, False),
    "empty_share_update": ("error", "accept"),
    "permission_change_bumps_updated_at": (False, True),
    "object_change_bumps_updated_at": (True, False),
}


def inject(control: ControlClient, chance: Random) -> str:
    """The name of the fault that strikes the next matching requests."""
    name = chance.choice(sorted(FAULTS))
    # What took effect although nobody was told so is the worst of all: it strikes what can take effect.
    pattern = chance.choice(_WRITES if FAULTS[name].get("after_handler") else _PATTERNS)
    control.fault(pattern, **FAULTS[name], times=chance.choice((1, 1, 2, 4)), offset=chance.choice((0, 0, 1, 3)))
    return name


def turn_knob(control: ControlClient, chance: Random) -> str:
    name = chance.choice(sorted(KNOBS))
    value = chance.choice(KNOBS[name])
    control.knobs(**{name: value})
    return f"{name}={value}"


def throttle(control: ControlClient, chance: Random) -> str:
    rate = chance.choice((None, 5.0, 20.0))
    control.throttle(rate)
    return "off" if rate is None else f"{rate:g}/s"


def clear(control: ControlClient) -> None:
    """Databricks is well again, and hides nothing."""
    control.clear_faults()
    control.throttle(None)
    control.latency(0)
    control.knobs(stale_reads=0)
