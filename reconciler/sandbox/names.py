"""Names: which are valid, how they are stored and how they are looked up."""

import ipaddress
import re

from reconciler.sandbox.errors import invalid, missing_field
from reconciler.sandbox.knobs import Knobs

_FORBIDDEN = re.compile(r"[\x00-\x20\x7f./]")
_LONGEST = 255
_ALIAS = re.compile(r"[A-Za-z0-9_]+\.[A-Za-z0-9_]+")
#: hexadecimal groups; the real service resolves the id, which nobody can do here
_GLOBAL_METASTORE = re.compile(r"(aws|azure|gcp):[a-z0-9-]+:[0-9a-f]+(-[0-9a-f]+)*", re.IGNORECASE)


def key(name: str) -> str:
    return name.casefold()


def stored(name: str, knobs: Knobs) -> str:
    return name.lower() if knobs.lowercase_names else name


def checked_name(name: str | None, operation: str) -> str:
    """Answers a name fit for a share or recipient, or raises the refusal of `operation`."""
    if not name:
        raise missing_field(operation, "name")
    if _FORBIDDEN.search(name) or len(name) > _LONGEST:
        raise invalid(
            f"{operation} {name} is not a valid name. Valid names cannot contain spaces, periods, forward slashes, "
            f"or control characters and have at most {_LONGEST} characters."
        )
    return name


def is_two_part_alias(alias: str) -> bool:
    return _ALIAS.fullmatch(alias) is not None


def is_global_metastore_id(text: str) -> bool:
    return _GLOBAL_METASTORE.fullmatch(text) is not None


def is_ip_or_cidr(text: str) -> bool:
    try:
        ipaddress.IPv4Network(text)
    except ValueError:
        return False
    return True


def parents(full_name: str) -> tuple[str, ...]:
    """Answers the full names above, innermost first: a.b.c → (a.b, a)."""
    parts = full_name.split(".")
    return tuple(".".join(parts[:length]) for length in range(len(parts) - 1, 0, -1))
