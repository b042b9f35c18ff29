"""Contested fields of a resource in a plan: which are left alone and until when, who keeps changing them, and what ends
that."""

from collections.abc import Iterable, Iterator
from itertools import groupby

from reconciler.core.holds import CONTESTED_AFTER, EXISTENCE, Contest, path_of
from reconciler.core.plan import Step
from reconciler.core.sighting import left_alone
from reconciler.core.verdict import Drifted
from reconciler.render.lines import Line, Span, Tone, line
from reconciler.render.moments import to_the_minute


def contests_at_work(step: Step) -> tuple[Contest, ...]:
    """Those that keep something from being changed now; the others only may."""
    left = {path_of(change) for change in left_alone(step)}
    if isinstance(step.verdict, Drifted) and step.verdict.actual is None:
        left.add(EXISTENCE)
    return tuple(contest for contest in step.contests if contest.field in left)


def is_all_contested(step: Step) -> bool:
    """Of drift that is left: whether contests are the reason for all of it, and `drift: report` for nothing."""
    if not isinstance(step.verdict, Drifted):
        return False
    if step.verdict.actual is None:
        return any(contest.field == EXISTENCE for contest in step.contests)
    left = {path_of(change) for change in left_alone(step)}
    return bool(left) and all(path_of(change) in left for change in step.verdict.changes)


def contest_lines(step: Step) -> Iterator[Line]:
    found = contests_at_work(step)
    if not found:
        return
    for (since, until), contests in groupby(found, key=lambda each: (each.since, each.until)):
        by_actor = groupby(contests, key=lambda each: actor_of(each, step))
        said = "; ".join(f"{_fields(group)}, which {actor} keeps changing" for actor, group in by_actor)
        words = f"contested since {to_the_minute(since)}, left alone until {to_the_minute(until)}: {said}"
        yield line("      ", Span(words, Tone.DRIFT))
    yield line(
        f"      → put back {CONTESTED_AFTER} times within a day; a commit that changes the resource ends it, "
        "or `sharepack resume PACK`"
    )


def actor_of(contest: Contest, step: Step | None = None) -> str:
    """Who changed it when it was put back last; failing that, who did now."""
    now = "" if step is None or step.seen is None else step.seen.updated_by
    return contest.actor or now or "somebody"


def field_words(field: str) -> str:
    return "its existence" if field == EXISTENCE else field


def _fields(contests: Iterable[Contest]) -> str:
    return ", ".join(field_words(each.field) for each in contests)
