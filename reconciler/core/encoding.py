"""Plain JSON, one text for equal values, and digests over it."""

import hashlib
import json
from typing import Any

from reconciler.core.managed import UNMANAGED

Json = dict[str, Any]


def canonical(value: object) -> str:
    """JSON text that is the same for equal values."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), ensure_ascii=True)


def digest(value: object) -> str:
    """SHA-256 over the canonical JSON, in hex."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def managed(fixed: Json, **fields: object) -> Json:
    """`fixed`, and those fields that are managed."""
    return fixed | {name: value for name, value in fields.items() if value is not UNMANAGED}
