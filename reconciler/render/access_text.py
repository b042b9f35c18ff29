"""The access section of a pack's plan: who gains and who loses access to what, once its steps are carried out."""

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final
from urllib.parse import urlsplit

from reconciler.core.access import AccessChange, access_changes
from reconciler.core.plan import PackPlan, Step
from reconciler.core.verdict import Adopt, Create, Delete, Keep, Update, Verdict
from reconciler.render.lines import Line, Span, Tone, line, pad, width
from reconciler.render.people import People, who

#: Names in one line before the rest moves to lines of its own.
_INLINE: Final = 1
_AZURE_HOST: Final = re.compile(r"^(adb-\d+)\.\d+\.azuredatabricks\.net$")


def access_of(pack: PackPlan) -> Mapping[str, tuple[AccessChange, ...]]:
    """By workspace, what the pack's steps change in what recipients can read; held steps change nothing. The pack's own
    workspace first; another one is there when the pack moved."""
    workspaces = sorted({step.key.workspace for step in pack.steps}, key=lambda each: (each != pack.workspace, each))
    return {each: access_changes(_effective(_steps_in(pack, each))) for each in workspaces}


def access_lines(pack: PackPlan, known: People, limit: int) -> Iterator[Line]:
    for workspace, changes in access_of(pack).items():
        if not changes:
            continue
        elsewhere = "" if workspace == pack.workspace else f" in {short_workspace(workspace)}"
        yield line("  ", Span(f"access{elsewhere}", Tone.HEADING))
        names = max(width(change.recipient) for change in changes)
        for change in changes:
            yield from _change_lines(change, names, who(change.recipient, workspace, known), limit)


def short_workspace(workspace: str) -> str:
    """The host, shortened to what tells Azure workspaces apart."""
    host = urlsplit(workspace).netloc or workspace
    found = _AZURE_HOST.match(host)
    return found[1] if found else host


def _steps_in(pack: PackPlan, workspace: str) -> list[Step]:
    return [step for step in pack.steps if step.key.workspace == workspace]


def _change_lines(change: AccessChange, names: int, description: str, limit: int) -> Iterator[Line]:
    sign, tone = _sign(change)
    drift = (Span(f"   ← drift: {_deed(change)} by hand", Tone.DRIFT),) if change.is_drift else ()
    start = (Span(f"    {sign} {pad(change.recipient, names)}", tone), Span(f"  ({description})", Tone.DIM), "  ")
    gains = _said("gains", change.gains, Tone.ADD)
    loses = _said("loses", change.loses, Tone.REMOVE)
    between = ("; ",) if gains and loses else ()
    yield line(*start, *gains, *between, *loses, Span(_then(change), Tone.DIM), *drift)
    if len(change.gains) > _INLINE:
        yield from _listed("+", change.gains, Tone.ADD, limit)
    if len(change.loses) > _INLINE:
        yield from _listed("-", change.loses, Tone.REMOVE, limit)


def _sign(change: AccessChange) -> tuple[str, Tone]:
    if change.gains and change.loses:
        return "~", Tone.CHANGE
    return ("+", Tone.ADD) if change.gains else ("-", Tone.REMOVE)


def _deed(change: AccessChange) -> str:
    if change.gains and change.loses:
        return "changed"
    return "taken away" if change.gains else "granted"


def _said(verb: str, names: tuple[str, ...], tone: Tone) -> tuple[Span, ...]:
    if not names:
        return ()
    if len(names) > _INLINE:
        return (Span(f"{verb} {len(names)}", tone),)
    return (Span(f"{verb} {', '.join(map(object_name, names))}", tone),)


def _then(change: AccessChange) -> str:
    if not change.reads_after:
        return ", then reads nothing"
    if len(change.gains) == change.reads_after and not change.loses:
        return ""
    return f", then reads {change.reads_after}"


def _listed(sign: str, names: tuple[str, ...], tone: Tone, limit: int) -> Iterator[Line]:
    yield from (line(Span(f"        {sign} {object_name(name)}", tone)) for name in names[:limit])
    if len(names) > limit:
        yield line(f"        … and {len(names) - limit:,} more (--full shows all)")


def object_name(name: str) -> str:
    return f"{name} (all of the schema)" if name.count(".") == 1 else name


def _effective(steps: Iterable[Step]) -> Iterator[Verdict]:
    for step in steps:
        if not step.is_held:
            yield step.verdict
            continue
        match step.verdict:
            case Update(before) | Adopt(before) | Delete(before):
                yield Keep(before)
            case Create():
                pass
            case other:
                yield other
