"""The access section of a plan: who gains and who loses access to what, once its steps are carried out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final, assert_never
from urllib.parse import urlsplit

from reconciler.core.access import AccessChange, access_changes
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import Plan, Step
from reconciler.core.resource import Resource
from reconciler.core.severity import Effect
from reconciler.core.share import ObjectType, Share
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Drifted,
    Forget,
    Ignore,
    Keep,
    Record,
    Release,
    Rename,
    Replace,
    Unknown,
    Update,
    Verdict,
)
from reconciler.render.lines import Line, Span, Tone, line, pad, width
from reconciler.render.people import People, who

#: Names in one line before the rest moves to lines of its own.
_INLINE: Final = 1
ALL_CLEAR: Final = "nobody gains or loses a data object"
_AZURE_HOST: Final = re.compile(r"^(adb-\d+)\.\d+\.azuredatabricks\.net$")


def access_of(steps: Iterable[Step], first: str = "") -> Mapping[str, tuple[AccessChange, ...]]:
    """By workspace, what steps change in what recipients can read; held steps change nothing. The workspace `first`
    first, when it is among them."""
    by_workspace: dict[str, list[Step]] = {}
    for step in steps:
        by_workspace.setdefault(step.key.workspace, []).append(step)
    ordered = sorted(by_workspace, key=lambda each: (each != first, each))
    return {each: access_changes(map(effective, by_workspace[each])) for each in ordered}


def access_lines(plan: Plan, known: People, limit: int) -> Iterator[Line]:
    """Of all packs together: what one pack takes and another one gives is no loss."""
    steps = list(plan.steps)
    found = access_of(steps)
    if is_all_clear(steps, found):
        yield line(Span("access", Tone.HEADING), Span(f"  {ALL_CLEAR}", Tone.DIM))
    for workspace, changes in found.items():
        if not changes:
            continue
        where = f" in {short_workspace(workspace)}" if len(found) > 1 else ""
        yield line(Span(f"access{where}", Tone.HEADING))
        schemas = whole_schemas(step for step in steps if step.key.workspace == workspace)
        names = max(width(change.recipient) for change in changes)
        for change in changes:
            described = who(change.recipient, workspace, known)
            yield from _change_lines(change, pad(change.recipient, names), described, schemas, limit)


def is_all_clear(steps: Iterable[Step], found: Mapping[str, tuple[AccessChange, ...]]) -> bool:
    """What breaks or revokes all may do so without an object changing hands: no all-clear then, nor where nothing
    changes anyway."""
    worst = max((step.effect for step in steps if step.is_change and not step.is_held), default=Effect.NONE)
    return not any(found.values()) and Effect.NONE < worst < Effect.BREAKS


def short_workspace(workspace: str) -> str:
    """The host, shortened to what tells Azure workspaces apart."""
    host = urlsplit(workspace).netloc or workspace
    found = _AZURE_HOST.match(host)
    return found[1] if found else host


def _change_lines(
    change: AccessChange, name: str, description: str, schemas: frozenset[str], limit: int
) -> Iterator[Line]:
    sign, tone = change_sign(change)
    drift = (Span(f"   ← drift: {deed(change)} by hand", Tone.DRIFT),) if change.is_drift else ()
    start = (Span(f"  {sign} {name}", tone), Span(f"  ({description})", Tone.DIM), "  ")
    parts = [
        ("+", "gains", said(change.gains, schemas), Tone.ADD),
        ("-", "loses", said(change.loses, schemas), Tone.REMOVE),
        ("~", "reads another part of", said(change.reads_otherwise, schemas), Tone.CHANGE),
    ]
    spans = [Span(_inline(verb, names), tone) for _, verb, names, tone in parts if names]
    between = [each for span in spans for each in (Span("; "), span)][1:]
    yield line(*start, *between, Span(then_reads(change), Tone.DIM), *drift)
    for each, _, names, tone in parts:
        if len(names) > _INLINE:
            yield from _listed(each, names, tone, limit)


def change_sign(change: AccessChange) -> tuple[str, Tone]:
    if bool(change.gains) == bool(change.loses):
        return "~", Tone.CHANGE
    return ("+", Tone.ADD) if change.gains else ("-", Tone.REMOVE)


def deed(change: AccessChange) -> str:
    if bool(change.gains) == bool(change.loses):
        return "changed"
    return "taken away" if change.gains else "granted"


def said(names: tuple[str, ...], schemas: frozenset[str]) -> tuple[str, ...]:
    return tuple(f"{name} (all of the schema)" if name in schemas else name for name in names)


def _inline(verb: str, names: tuple[str, ...]) -> str:
    return f"{verb} {len(names):,}" if len(names) > _INLINE else f"{verb} {', '.join(names)}"


def then_reads(change: AccessChange) -> str:
    """To be put after what it gains and loses: `, then reads 3`."""
    if not change.reads_after:
        return ", then reads nothing"
    if len(change.gains) == change.reads_after and not change.loses:
        return ""
    return f", then reads {change.reads_after:,}"


def _listed(sign: str, names: tuple[str, ...], tone: Tone, limit: int) -> Iterator[Line]:
    yield from (line(Span(f"      {sign} {name}", tone)) for name in names[:limit])
    if len(names) > limit:
        yield line(f"      … and {len(names) - limit:,} more (--full shows all)")


def whole_schemas(steps: Iterable[Step]) -> frozenset[str]:
    """The names that stand for all of a schema; a notebook may be called like one."""
    items = (
        item
        for step in steps
        for share in _shares(step.verdict)
        for item in (() if share.objects is UNMANAGED else share.objects)
    )
    return frozenset(
        item.name
        for item in items
        if item.type == ObjectType.SCHEMA or (item.type is UNMANAGED and item.name.count(".") == 1)
    )


def _shares(verdict: Verdict) -> Iterator[Share]:
    found: tuple[Resource | None, ...]
    match verdict:
        case Create(after):
            found = (after,)
        case Update(before, after) | Adopt(before, after) | Rename(before, after) | Replace(before, after):
            found = (before, after)
        case Record(before, after):
            found = (before, after)
        case Keep(actual) | Drifted(actual):
            found = (actual,)
        case Delete(before) | Forget(before) | Release(before):
            found = (before,)
        case Conflict() | Unknown() | Ignore():
            found = ()
        case _:
            assert_never(verdict)
    yield from (each for each in found if isinstance(each, Share))


def effective(step: Step) -> Verdict:
    """What it does to access now: a held step leaves things as they are."""
    if not step.is_held:
        return step.verdict
    match step.verdict:
        case Update(before) | Adopt(before) | Rename(before) | Replace(before) | Delete(before):
            return Keep(before)
        case Create():
            return Ignore()
        case other:
            return other
