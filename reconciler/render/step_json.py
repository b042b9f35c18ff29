"""One step of a plan as a JSON value: verdict, effect, what stands against it and what lifts that, before and after."""

from typing import Any, assert_never

from reconciler.core.changes import FieldChange, combined_cause, moment_text
from reconciler.core.guard import Objection
from reconciler.core.holds import Contest
from reconciler.core.plan import Degraded, Seen, Step
from reconciler.core.problem import Where
from reconciler.core.resource import Resource
from reconciler.core.resource_encoding import encode_resource
from reconciler.core.severity import Effect, drift_effect
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
from reconciler.render.calls import requests_of
from reconciler.render.change_json import change_value
from reconciler.render.contest_text import contests_at_work
from reconciler.render.degraded_text import remedy
from reconciler.render.moments import iso

Json = dict[str, Any]


def step_value(step: Step, *, with_calls: bool) -> Json:
    left = contests_at_work(step)
    value: Json = {
        "key": str(step.key),
        "workspace": step.key.workspace,
        "verdict": verdict_name(step.verdict),
        "effect": effect_name(step.effect),
        "held": step.is_held,
        "where": None if step.where is None else where_value(step.where),
        "objections": [*map(_objection, step.objections)],
        "lifted": list(step.lifted),
        "seen": None if step.seen is None else _seen(step.seen),
        "degraded": [*map(degraded_value, step.degraded)],
        "contests": [contest_value(contest) | {"is_left": contest in left} for contest in step.contests],
        **_verdict(step.verdict),
    }
    if isinstance(step.verdict, Rename):
        value["renamed_from"] = step.renamed_from or step.verdict.before.name
    if with_calls:
        calls = requests_of(step)
        value["calls"] = [{"method": each.method, "path": each.path, "body": each.body} for each in calls]
    return value


def verdict_name(verdict: Verdict) -> str:
    return type(verdict).__name__.lower()


def effect_name(effect: Effect) -> str:
    return effect.name.lower()


def where_value(where: Where) -> Json:
    if where.sheet:
        return {"path": where.path, "sheet": where.sheet, "cell": where.cell}
    return {"path": where.path} | ({"line": where.line, "column": where.column} if where.line else {})


def degraded_value(degraded: Degraded) -> Json:
    return {
        "object": degraded.object_name,
        "owner": degraded.owner,
        "missing": degraded.missing,
        "remedy": remedy(degraded),
    }


def contest_value(contest: Contest) -> Json:
    return {
        "field": contest.field,
        "actor": contest.actor,
        "since": iso(contest.since),
        "until": iso(contest.until),
    }


def _objection(objection: Objection) -> Json:
    return {"rule": objection.rule, "message": objection.message, "hint": objection.hint, "lift": objection.lift}


def _seen(seen: Seen) -> Json:
    at = None if seen.updated_at is None else moment_text(seen.updated_at)
    return {"owner": seen.owner, "updated_by": seen.updated_by, "updated_at": at}


def _verdict(verdict: Verdict) -> Json:
    match verdict:
        case Create() | Update() | Adopt() | Rename() | Replace() | Delete():
            return _changing(verdict)
        case Record() | Keep() | Drifted() | Forget() | Release():
            return _leaving(verdict)
        case Conflict() | Unknown() | Ignore():
            return _unsettled(verdict)
        case _:
            assert_never(verdict)


def _changing(verdict: Create | Update | Adopt | Rename | Replace | Delete) -> Json:
    match verdict:
        case Create(after, cause):
            return _value(str(cause), (), None, after)
        case Update(before, after, changes, cause):
            return _value(str(cause), changes, before, after)
        case Adopt(before, after, changes):
            return _value(None, changes, before, after)
        case Rename(before, after, changes):
            return _value(str(combined_cause(changes)) if changes else "file", changes, before, after)
        case Replace(before, after):
            return _value("file", (), before, after)
        case Delete(before):
            return _value(None, (), before, None)
        case _:
            assert_never(verdict)


def _leaving(verdict: Record | Keep | Drifted | Forget | Release) -> Json:
    match verdict:
        case Record(before, after):
            return _value(None, (), before, after)
        case Keep(actual):
            return _value(None, (), actual, actual)
        case Drifted(actual, changes):
            return _value("drift", changes, actual, actual) | {"correction": effect_name(drift_effect(verdict))}
        case Forget(before):
            return _value(None, (), before, None)
        case Release(before):
            return _value(None, (), before, before)
        case _:
            assert_never(verdict)


def _unsettled(verdict: Conflict | Unknown | Ignore) -> Json:
    match verdict:
        case Conflict(rule, message, hint, changes):
            conflict = {"rule": rule, "message": message, "hint": hint}
            return _value(None, changes, None, None) | {"conflict": conflict}
        case Unknown(reason):
            return _value(None, (), None, None) | {"reason": reason}
        case Ignore():
            return _value(None, (), None, None)
        case _:
            assert_never(verdict)


def _value(
    cause: str | None, changes: tuple[FieldChange, ...], before: Resource | None, after: Resource | None
) -> Json:
    return {
        "cause": cause,
        "changes": [*map(change_value, changes)],
        "before": None if before is None else encode_resource(before),
        "after": None if after is None else encode_resource(after),
    }
