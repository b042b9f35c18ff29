"""A whole resource as lines: every field a new one will have, and what goes with one that is taken away."""

from collections.abc import Callable, Iterator, Sequence
from typing import assert_never

from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.objects import order
from reconciler.core.recipient import OidcSharing, Recipient, TokenSharing, is_open
from reconciler.core.resource import Resource
from reconciler.core.share import Share
from reconciler.render.element_text import (
    cut_line,
    field_line,
    note_line,
    object_text,
    object_title,
    policy_text,
    quoted,
)
from reconciler.render.lines import Line, Span, Tone
from reconciler.render.moments import span, utc


def whole_lines(after: Resource, limit: int) -> Iterator[Line]:
    """Every field a new resource will have; `limit` data objects are listed one by one, and all who may read."""
    match after:
        case Recipient():
            yield from _whole_recipient(after)
        case Share():
            yield from _text("owner", after.owner)
            yield from _text("comment", after.comment)
            yield from _text("storage_root", after.storage_root)
            if after.objects is not UNMANAGED:
                yield from _listed(
                    "objects", "+", [object_text(each) for each in sorted(after.objects, key=order)], limit
                )
            if after.recipients is not UNMANAGED:
                yield from _listed("recipients", "+", sorted(after.recipients), len(after.recipients))
        case _:
            assert_never(after)
    if after.protect:
        yield field_line("protect", Span("it cannot be deleted before this is lifted and applied"))


def gone_lines(before: Resource, limit: int) -> Iterator[Line]:
    """What is lost with a resource that is deleted."""
    match before:
        case Recipient():
            yield note_line(f"{_loss(before)}; it loses every share granted to it")
            yield from _policies("-", before)
        case Share():
            if before.objects is not UNMANAGED and before.objects:
                names = [object_title(each) for each in sorted(before.objects, key=order)]
                yield from _listed("objects", "-", names, limit)
            if before.recipients is not UNMANAGED and before.recipients:
                yield from _listed("recipients", "-", sorted(before.recipients), len(before.recipients))
            if not before.objects or not before.recipients:
                yield note_line("nobody reads anything through it")
        case _:
            assert_never(before)


def new_token_line(recipient: Recipient) -> Iterator[Line]:
    if isinstance(recipient.authentication, TokenSharing):
        yield note_line("a new token: its partner needs a new activation link")


def _loss(before: Recipient) -> str:
    match before.authentication:
        case TokenSharing():
            return "its token stops working, and a recipient made later needs a new one"
        case OidcSharing():
            return "nobody can sign in as it any more"
        case _:
            return "its metastore loses it"


def _whole_recipient(after: Recipient) -> Iterator[Line]:
    yield field_line("type", Span(str(after.authentication)))
    if after.email is not UNMANAGED and after.email:
        yield field_line("email", Span(after.email))
    yield from _text("owner", after.owner)
    yield from _addresses(after)
    yield from _text("comment", after.comment)
    if after.properties is not UNMANAGED:
        yield from (field_line(f"properties.{name}", Span(quoted(value))) for name, value in sorted(after.properties))
    yield from _policies("+", after)
    yield from _said("expires_at", after.expires_at, utc)
    yield from _said("token_lifetime", after.token_lifetime, span)
    yield from _said("rotate_every", after.rotate_every, span)
    yield from _said("rotation_overlap", after.rotation_overlap, span)


def _addresses(after: Recipient) -> Iterator[Line]:
    if not is_open(after.authentication):
        return
    if after.allowed_ips is UNMANAGED or not after.allowed_ips:
        yield field_line("allowed_ips", Span("none: it can read from any address", Tone.CHANGE))
    else:
        yield field_line("allowed_ips", Span(", ".join(sorted(after.allowed_ips))))


def _policies(sign: str, recipient: Recipient) -> Iterator[Line]:
    if recipient.policies is UNMANAGED:
        return
    if recipient.policies or (sign == "+" and isinstance(recipient.authentication, OidcSharing)):
        policies = sorted(map(policy_text, recipient.policies))
        yield from _listed("policies", sign, policies, len(policies), "none: nobody can sign in as it yet")


def _text(field: str, value: Managed[str]) -> Iterator[Line]:
    if value is not UNMANAGED and value:
        yield field_line(field, Span(quoted(value)))


def _said(field: str, value: Managed[int], words: Callable[[int], str]) -> Iterator[Line]:
    if value is not UNMANAGED:
        yield field_line(field, Span(words(value)))


def _listed(field: str, sign: str, names: Sequence[str], limit: int, nothing: str = "none") -> Iterator[Line]:
    if not names:
        yield field_line(field, Span(nothing, Tone.DIM))
    tone = Tone.ADD if sign == "+" else Tone.REMOVE
    for index, name in enumerate(names[:limit]):
        yield field_line("" if index else field, Span(f"{sign} {name}", tone))
    if len(names) > limit:
        yield cut_line(len(names) - limit)
