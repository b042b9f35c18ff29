"""Which texts are names to Databricks, e-mail addresses, metastore ids and data objects, and their one normal form."""

import re
from collections.abc import Sequence
from typing import Any, Final, TypeGuard

from reconciler.packs.document import MAX_NAME

#: The service's own rule for catalogs (no spaces, periods, forward slashes, control characters), and nothing invisible.
_NOT_IN_NAMES: Final = re.compile(r"[\s./\x00-\x1f\x7f-\x9f\u00ad\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]")
#: Control characters other than line feed and tab, and the marks that make text read in another order than stored.
_NOT_IN_TEXT: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")
_EMAIL: Final = re.compile(
    r"[^\s@<>(),;:\"\\\[\]\x00-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff]{1,64}"
    r"@(?:[^\W_](?:[\w-]{0,61}[^\W_])?\.)+[^\W_](?:[\w-]{0,61}[^\W_])?"
)
_METASTORE: Final = re.compile(r"(?:aws|azure|gcp):[a-z0-9]+(?:-[a-z0-9]+)*:[a-z0-9]+(?:-[a-z0-9]+)*")
#: What nearly all names are: already in their normal form.
_USUAL_OBJECT: Final = re.compile(r"[a-z0-9_]{1,255}\.[a-z0-9_]{1,255}(?:\.[a-z0-9_]{1,255})?")
_USUAL_TABLES: Final = re.compile(r"(?:[a-z0-9_]{1,255}\.[a-z0-9_]{1,255}\.[a-z0-9_]{1,255}\n)*")
#: Without back-quotes: nothing that a name may not hold, and no space.
_PLAIN_OBJECT: Final = re.compile(r"[^\s./`\x00-\x1f\x7f-\x9f]{1,255}(?:\.[^\s./`\x00-\x1f\x7f-\x9f]{1,255}){1,2}")
_PART: Final = re.compile(r"`((?:[^`]|``)*)`|([^`.]*)")
_UNSHARABLE: Final = re.compile(r"[\x00-\x1f\x7f-\x9f]")


def is_email(text: str) -> bool:
    return len(text) <= 254 and _EMAIL.fullmatch(text) is not None


def is_name(text: str) -> bool:
    return bool(text) and _NOT_IN_NAMES.search(text) is None


def name_like(text: str) -> str:
    """A name that could have been meant."""
    return _NOT_IN_NAMES.sub("_", text.strip())[:MAX_NAME]


def control_character(text: str) -> str:
    """The first character a text may not hold, as `U+202E`; "" when there is none."""
    found = _NOT_IN_TEXT.search(text)
    return f"U+{ord(found[0]):04X}" if found else ""


def metastore_id(text: str) -> str | None:
    """`<cloud>:<region>:<uuid>` in lower case. The last part is any groups of letters and digits joined by hyphens."""
    lowered = text.strip().lower()
    return lowered if _METASTORE.fullmatch(lowered) else None


def are_usual_tables(items: Sequence[object]) -> TypeGuard[Sequence[str]]:
    """Whether all are texts of the form catalog.schema.table in their normal form, as in most packs all are: told at
    once, at a fraction of what it takes one by one."""
    texts: Any = items
    try:
        lines = "\n".join(texts)
    except TypeError:
        return False
    return lines.count("\n") == len(texts) - 1 and _USUAL_TABLES.fullmatch(f"{lines}\n") is not None


def object_name(text: str) -> str | None:
    """`catalog.schema` or `catalog.schema.table` in lower case, back-quotes removed; None when it is neither."""
    if _USUAL_OBJECT.fullmatch(text):
        return text
    plain = text.strip()
    if _PLAIN_OBJECT.fullmatch(plain):
        return plain.lower()
    quoted = _quoted_parts(plain) if "`" in plain else None
    return None if quoted is None else ".".join(quoted)


def _quoted_parts(rest: str) -> Sequence[str] | None:
    parts: list[str] = []
    while True:
        found = _PART.match(rest)
        part = found and (found[1].replace("``", "`") if found[1] is not None else found[2])
        if not found or not part or not _is_part(part, is_quoted=found[1] is not None):
            return None
        parts.append(part.lower())
        rest = rest[found.end() :]
        if not rest:
            return parts if len(parts) in {2, 3} else None
        if not rest.startswith(".") or len(parts) == 3:
            return None
        rest = rest[1:]


def _is_part(part: str, *, is_quoted: bool) -> bool:
    if len(part) > MAX_NAME or _UNSHARABLE.search(part) or "." in part or "/" in part:
        return False
    return part == part.strip() if is_quoted else not any(map(str.isspace, part))
