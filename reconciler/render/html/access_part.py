"""The top of the page: who gains and who loses access to what, in the words of the access section, a card for each
recipient. Never cut: names beyond a few can be folded away by the reader, and are there."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reconciler.core.access import AccessChange
from reconciler.core.plan import Step
from reconciler.render.access_text import (
    ALL_CLEAR,
    access_of,
    change_sign,
    deed,
    is_all_clear,
    said,
    short_workspace,
    then_reads,
    whole_schemas,
)
from reconciler.render.html.markup import NOTHING, Markup, joined, tag
from reconciler.render.lines import Line, Span, Tone, line
from reconciler.render.people import People, who

#: Names in a card before they can be folded away.
_FOLDS_BEYOND: Final = 12
#: Names in a card before it takes all the room there is, its names in columns, and is shared by who has the same ones.
_BROAD_BEYOND: Final = 40
_ORDER: Final = {"+": 0, "~": 1, "-": 2}


@dataclass(frozen=True, slots=True)
class _Part:
    sign: str
    tone: Tone
    verb: str
    names: tuple[str, ...]


def access_part(steps: Sequence[Step], known: People) -> Markup:
    """Nothing where there is nothing to say, which is no all-clear."""
    found = access_of(steps)
    parts = [
        _workspace_part(
            workspace,
            changes,
            known,
            whole_schemas(step for step in steps if step.key.workspace == workspace),
            is_named=len(found) > 1,
        )
        for workspace, changes in found.items()
        if changes
    ]
    if not parts and is_all_clear(steps, found):
        return tag("p", ALL_CLEAR, class_="calm")
    return joined(parts)


def access_counts(steps: Sequence[Step]) -> Iterator[Line]:
    """`access  3 recipients: 2 gain, 2 lose`, for the top of the page; nothing when nobody does either."""
    changes = [change for each in access_of(steps).values() for change in each]
    counts = (
        (sum(bool(each.gains) for each in changes), ("gains", "gain"), Tone.ADD),
        (sum(bool(each.loses) for each in changes), ("loses", "lose"), Tone.REMOVE),
        (sum(bool(each.reads_otherwise) for each in changes), ("reads another part", "read another part"), Tone.CHANGE),
    )
    said = [Span(f"{count:,} {verbs[count != 1]}", tone) for count, verbs, tone in counts if count]
    if said:
        recipients = "1 recipient: " if len(changes) == 1 else f"{len(changes):,} recipients: "
        between = [each for span in said for each in (Span(", "), span)][1:]
        yield line(Span("access  ", Tone.HEADING), Span(recipients), *between)


def _workspace_part(
    workspace: str, changes: Sequence[AccessChange], known: People, schemas: frozenset[str], *, is_named: bool
) -> Markup:
    """Those who gain first."""
    ordered = sorted(changes, key=lambda change: (_ORDER[change_sign(change)[0]], change.recipient))
    level, heading = ("h4", tag("h3", f"in {short_workspace(workspace)}")) if is_named else ("h3", NOTHING)
    cards = [
        _card(group[0], [_heading(each, level, who(each.recipient, workspace, known)) for each in group], schemas)
        for group in _alike(ordered)
    ]
    return joined([heading, tag("ul", *cards, class_="cards")])


def _alike(changes: Sequence[AccessChange]) -> Iterable[Sequence[AccessChange]]:
    """Recipients of whom the same long lists would be said share a card."""
    groups: dict[AccessChange, list[AccessChange]] = {}
    for change in changes:
        is_long = len(change.gains) + len(change.loses) + len(change.reads_otherwise) > _BROAD_BEYOND
        groups.setdefault(replace(change, recipient="") if is_long else change, []).append(change)
    return groups.values()


def _heading(change: AccessChange, level: str, description: str) -> Markup:
    sign, tone = change_sign(change)
    named = tag(level, tag("span", sign, class_=f"sign {tone.value}"), tag("bdi", change.recipient), class_="what")
    return tag("div", named, tag("p", description, class_="who"))


def _card(change: AccessChange, headings: Sequence[Markup], schemas: frozenset[str]) -> Markup:
    _, tone = change_sign(change)
    parts = [
        _Part("+", Tone.ADD, "gains", said(change.gains, schemas)),
        _Part("-", Tone.REMOVE, "loses", said(change.loses, schemas)),
        _Part("~", Tone.CHANGE, "reads another part of", said(change.reads_otherwise, schemas)),
    ]
    return tag(
        "li",
        tag("div", *headings, class_="readers"),
        *(_part(part) for part in parts if part.names),
        *_ending(change),
        class_=f"card {tone.value}-card{' broad' if max(len(part.names) for part in parts) > _BROAD_BEYOND else ''}",
    )


def _part(part: _Part) -> Markup:
    counted = tag("span", f"{part.verb} {len(part.names):,}", class_=part.tone.value)
    rows = (tag("li", tag("span", f"{part.sign} ", class_=part.tone.value), tag("bdi", name)) for name in part.names)
    listed = tag("ul", joined(rows, "\n"), class_="names")
    if len(part.names) > _FOLDS_BEYOND:
        return tag("details", tag("summary", counted), listed, open=True)
    return joined([tag("p", counted, class_="verb"), listed])


def _ending(change: AccessChange) -> Iterator[Markup]:
    if then := then_reads(change).removeprefix(", "):
        yield tag("p", then, class_="then")
    if change.is_drift:
        yield tag("p", f"← drift: {deed(change)} by hand", class_=f"then {Tone.DRIFT.value}")
