"""Scenes in which somebody keeps changing fields back, and packs are suspended: any fields, of any resource."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from hypothesis import strategies as st

from reconciler.core.changes import FieldChange, ObjectChanged, field_changes
from reconciler.core.holds import EXISTENCE, Contest, Holds, Suspension, declared_digest, path_of
from reconciler.core.key import Key, PackId
from reconciler.core.plan import Step
from reconciler.core.resource import Resource
from reconciler.core.verdict import Adopt, Drifted, Rename, Update
from tests.core.carrying import SCOPE, Run
from tests.core.scenes import Scene, drawn, scenes

SINCE = datetime(2030, 3, 17, 12, tzinfo=UTC)
UNTIL = SINCE + timedelta(days=7)


def a_contest(field: str, wanted: Resource, actor: str = "ann@example.com") -> Contest:
    return Contest(field, actor, SINCE, UNTIL, declared_digest(wanted))


def contesting(key: Key, wanted: Resource, *fields: str) -> Holds:
    return Holds(contests={key: tuple(a_contest(each, wanted) for each in fields)})


def a_suspension(*, revocations_too: bool = False) -> Suspension:
    return Suspension("ann@example.com", "the partner is moving", SINCE, UNTIL, revocations_too)


def fields_at_stake(step: Step) -> Iterator[str]:
    """What of a resource can be contested: whatever differs, and that it is there at all."""
    yield EXISTENCE
    yield "comment"
    match step.verdict:
        case Update(changes=changes) | Rename(changes=changes) | Adopt(changes=changes) | Drifted(changes=changes):
            yield from map(path_of, changes)
        case _:
            return


def told_differences(wanted: Resource, told: Resource) -> tuple[FieldChange, ...]:
    """What can be seen to differ: a notebook's content cannot."""
    return tuple(_seen(field_changes(wanted, None, told)))


def _seen(changes: tuple[FieldChange, ...]) -> Iterator[FieldChange]:
    for change in changes:
        if isinstance(change, ObjectChanged):
            sets = tuple(each for each in change.sets if each.field != "content")
            if sets:
                yield replace(change, sets=sets)
        else:
            yield change


@st.composite
def disputed_scenes(draw: st.DrawFn, *, free: bool = False) -> Scene:
    """Contests come from corrections, so they are of what is on record."""
    scene = draw(scenes(free=free))
    contests: dict[Key, tuple[Contest, ...]] = {}
    for step in Run(scene, scene.recorded).plan().steps:
        rows = scene.recorded.resources
        if step.desired is None or not {step.key, replace(step.key, name=step.renamed_from)} & rows.keys():
            continue
        fields = sorted(set(fields_at_stake(step)))
        chosen = drawn(draw, range(2 ** len(fields)))
        wanted = step.desired
        contests[step.key] = tuple(a_contest(each, wanted) for index, each in enumerate(fields) if chosen >> index & 1)
    return replace(scene, holds=Holds(contests=contests))


@st.composite
def suspended_scenes(draw: st.DrawFn, *, revocations_too: bool) -> Scene:
    scene = draw(disputed_scenes() if drawn(draw, (False, True)) else scenes())
    suspensions: dict[PackId, Suspension] = dict.fromkeys(SCOPE, a_suspension(revocations_too=revocations_too))
    return replace(scene, holds=replace(scene.holds, suspensions=suspensions))
