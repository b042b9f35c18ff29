"""Pages: how a list is cut, ordered and continued. A token names the last key given: a list may change meanwhile."""

import base64
import binascii
import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any, TypeVar

from reconciler.sandbox.errors import invalid
from reconciler.sandbox.knobs import Knobs

Item = TypeVar("Item")


def page(
    items: Iterable[tuple[str, Item]],
    query: Mapping[str, str],
    knobs: Knobs,
    *,
    always: bool = False,
    smallest: int = 1,
) -> tuple[list[Item], str | None]:
    """Cuts the page `query` asks for out of (key, item) pairs; answers it with the token of the next page.

    Without max_results everything is answered, unless `always` says that this list is paged in any case.
    """
    size = _size(query, knobs, always=always, smallest=smallest)
    after, is_gap = _position(query.get("page_token"))
    if is_gap:
        return [], _token(after or "", is_gap=False)
    order = _order(knobs)
    ordered = sorted((pair for pair in items if after is None or order(pair) > after), key=order)
    if size is None or len(ordered) <= size:
        return [item for _, item in ordered], None
    cut = ordered[:size]
    return [item for _, item in cut], _token(order(cut[-1]), is_gap=knobs.empty_middle_pages)


def in_order(items: Iterable[tuple[str, Item]], knobs: Knobs) -> list[Item]:
    """Answers a list that is never paged: as it is, or shuffled."""
    return [item for _, item in (sorted(items, key=_digest_of) if knobs.shuffle_lists else items)]


def listing(name: str, found: list[Any], token: str | None, knobs: Knobs) -> dict[str, Any]:
    answer: dict[str, Any] = {}
    if found or not knobs.empty_lists_omitted:
        answer[name] = found
    if token is not None:
        answer["next_page_token"] = token
    return answer


def _size(query: Mapping[str, str], knobs: Knobs, *, always: bool, smallest: int) -> int | None:
    given = query.get("max_results")
    if given is None:
        return knobs.page_size if always or "page_token" in query else None
    try:
        wanted = int(given)
    except ValueError:
        raise invalid(f"max_results must be a whole number, not '{given}'") from None
    if wanted < 0:
        raise invalid("max_results must not be negative")
    if 0 < wanted < smallest:
        raise invalid(f"max_results must be 0 or at least {smallest}")
    return min(wanted, knobs.page_size) if wanted else knobs.page_size


def _order(knobs: Knobs) -> Callable[[tuple[str, Any]], str]:
    # A shuffled list needs the same order on each of its pages: the order of the keys' digests.
    return _digest_of if knobs.shuffle_lists else _key_of


def _key_of(pair: tuple[str, Any]) -> str:
    return pair[0]


def _digest_of(pair: tuple[str, Any]) -> str:
    return hashlib.sha256(pair[0].encode()).hexdigest()


def _token(after: str, *, is_gap: bool) -> str:
    return base64.urlsafe_b64encode(json.dumps([after, is_gap]).encode()).decode()


def _position(token: str | None) -> tuple[str | None, bool]:
    if not token:
        return None, False
    try:
        after, is_gap = json.loads(base64.urlsafe_b64decode(token.encode()))
    except (ValueError, TypeError, binascii.Error):
        raise invalid("Invalid page_token") from None
    if not isinstance(after, str):
        raise invalid("Invalid page_token")
    return after, bool(is_gap)
