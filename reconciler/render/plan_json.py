"""A plan as versioned JSON, whole and deterministic: the form of `schema/plan.schema.json`."""

import json
from typing import Any, Final, assert_never

from reconciler.core.access import AccessChange
from reconciler.core.changes import ElementAdded, ElementRemoved, FieldChange, ValueSet
from reconciler.core.desired import Revision
from reconciler.core.resource_encoding import encode_resource
from reconciler.core.key import PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.plan import PackPlan, Plan, Step
from reconciler.core.problem import Problem, Where
from reconciler.core.resource import Resource
from reconciler.core.share import SharedObject
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Forget,
    Ignore,
    Keep,
    Record,
    Unknown,
    Update,
    Verdict,
)
from reconciler.render.access_text import access_of
from reconciler.render.calls import requests_of
from reconciler.render.people import People, people, who
from reconciler.render.summary import summarize

Json = dict[str, Any]

FORMAT: Final = "sharepack-plan"
#: Minor: readers may ignore what they do not know. Major: readers must refuse.
FORMAT_VERSION: Final = "1.0"


def plan_json(plan: Plan, *, with_calls: bool = False) -> str:
    return json.dumps(plan_document(plan, with_calls=with_calls), indent=2, ensure_ascii=True) + "\n"


def plan_document(plan: Plan, *, with_calls: bool = False) -> Json:
    known = people(plan)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "revision": _revision(plan.revision),
        "fingerprint": plan.fingerprint,
        "summary": summarize(plan.steps).as_dict(),
        "packs": [_pack(pack, known, with_calls=with_calls) for pack in plan.packs],
        "problems": [_problem(problem) for problem in plan.problems],
    }


def _revision(revision: Revision) -> Json:
    return {
        "commit": revision.commit,
        "is_committed": revision.is_committed,
        "branch": revision.branch,
        "author": revision.author,
        "content": revision.content,
    }


def _pack(pack: PackPlan, known: People, *, with_calls: bool) -> Json:
    return {
        "id": _pack_id(pack.pack),
        "path": pack.path,
        "workspace": pack.workspace,
        "strategy": str(pack.strategy),
        "is_removed": pack.declared is None,
        "fingerprint": pack.fingerprint,
        "basis": {"desired": pack.basis.desired, "recorded": pack.basis.recorded, "actual": pack.basis.actual},
        "actions": sorted(pack.actions),
        "needs": [_pack_id(each) for each in sorted(pack.needs)],
        "warnings": list(pack.warnings),
        "access": [_access(change, where, known) for where, changes in access_of(pack).items() for change in changes],
        "steps": [_step(step, with_calls=with_calls) for step in pack.steps],
    }


def _pack_id(pack: PackId) -> Json:
    return {"business_line": pack.business_line, "project_name": pack.project_name}


def _access(change: AccessChange, workspace: str, known: People) -> Json:
    return {
        "recipient": change.recipient,
        "workspace": workspace,
        "who": who(change.recipient, workspace, known),
        "gains": list(change.gains),
        "loses": list(change.loses),
        "reads_after": change.reads_after,
        "is_drift": change.is_drift,
    }


def _step(step: Step, *, with_calls: bool) -> Json:
    value: Json = {
        "key": str(step.key),
        "workspace": step.key.workspace,
        "verdict": verdict_name(step.verdict),
        "held": step.is_held,
        "where": None if step.where is None else _where(step.where),
        "objections": [{"rule": each.rule, "message": each.message, "hint": each.hint} for each in step.objections],
        **_verdict(step.verdict),
    }
    if with_calls:
        calls = requests_of(step)
        value["calls"] = [{"method": each.method, "path": each.path, "body": each.body} for each in calls]
    return value


def verdict_name(verdict: Verdict) -> str:
    return type(verdict).__name__.lower()


def _verdict(verdict: Verdict) -> Json:
    value: Json
    match verdict:
        case Create(after, cause):
            value = {"cause": str(cause), "changes": [], "before": None, "after": encode_resource(after)}
        case Update(before, after, changes, cause):
            value = {"cause": str(cause), "changes": [*map(_change, changes)], **_both(before, after)}
        case Adopt(before, after, changes):
            value = {"cause": None, "changes": [*map(_change, changes)], **_both(before, after)}
        case Record(before, after):
            value = {"cause": None, "changes": [], **_both(before, after)}
        case Keep(actual):
            value = {"cause": None, "changes": [], **_both(actual, actual)}
        case Delete(before) | Forget(before):
            value = {"cause": None, "changes": [], **_both(before, None)}
        case Conflict(rule, message, hint, changes):
            conflict = {"rule": rule, "message": message, "hint": hint}
            value = {"cause": None, "changes": [*map(_change, changes)], **_both(None, None), "conflict": conflict}
        case Unknown(reason):
            value = {"cause": None, "changes": [], **_both(None, None), "reason": reason}
        case Ignore():
            value = {"cause": None, "changes": [], **_both(None, None)}
        case _:
            assert_never(verdict)
    return value


def _both(before: Resource | None, after: Resource | None) -> Json:
    return {
        "before": None if before is None else encode_resource(before),
        "after": None if after is None else encode_resource(after),
    }


def _change(change: FieldChange) -> Json:
    match change:
        case ValueSet(field, before, after, cause):
            return {"field": field, "action": "set", "before": before, "after": after, "cause": str(cause)}
        case ElementAdded(field, element, cause):
            return {"field": field, "action": "add", **_element(element), "cause": str(cause)}
        case ElementRemoved(field, element, cause):
            return {"field": field, "action": "remove", **_element(element), "cause": str(cause)}
        case _:
            assert_never(change)


def _element(element: str | SharedObject) -> Json:
    if isinstance(element, str):
        return {"element": element}
    return {"element": element.name} | ({} if element.type is UNMANAGED else {"type": str(element.type)})


def _where(where: Where) -> Json:
    if where.sheet:
        return {"path": where.path, "sheet": where.sheet, "cell": where.cell}
    return {"path": where.path} | ({"line": where.line, "column": where.column} if where.line else {})


def _problem(problem: Problem) -> Json:
    return {
        "rule": problem.rule,
        "severity": str(problem.severity),
        "message": problem.message,
        "hint": problem.hint,
        "where": _where(problem.where),
        "also": None if problem.also is None else _where(problem.also),
    }
