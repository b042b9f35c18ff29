"""A plan as versioned JSON, whole and deterministic: the form of `schema/plan.schema.json`."""

import json
from collections import Counter
from collections.abc import Iterable
from typing import Any, Final

from reconciler.core.access import AccessChange
from reconciler.core.desired import Revision
from reconciler.core.key import PackId
from reconciler.core.plan import PackPlan, Plan, Step
from reconciler.core.problem import Problem
from reconciler.core.severity import Effect
from reconciler.render.access_text import access_of
from reconciler.render.effect_text import effects
from reconciler.render.people import People, people, who
from reconciler.render.step_json import effect_name, step_value, where_value
from reconciler.render.summary import summarize

Json = dict[str, Any]

FORMAT: Final = "sharepack-plan"
#: Minor: readers may ignore what they do not know. Major: readers must refuse.
FORMAT_VERSION: Final = "2.0"


def plan_json(plan: Plan, *, with_calls: bool = False) -> str:
    return json.dumps(plan_document(plan, with_calls=with_calls), indent=2, ensure_ascii=True) + "\n"


def plan_document(plan: Plan, *, with_calls: bool = False) -> Json:
    known = people(plan)
    done, held = effects(plan.steps)
    return {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "revision": _revision(plan.revision),
        "fingerprint": plan.fingerprint,
        "summary": summarize(plan.steps).as_dict(),
        "access": _accesses(plan.steps, "", known),
        "effects": {"done": _counts(done), "held": _counts(held)},
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


def _counts(counts: Counter[Effect]) -> Json:
    """Worst first."""
    return {effect_name(effect): counts[effect] for effect in sorted(counts, reverse=True)}


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
        "gains": sorted(pack.gains),
        "needs": [_pack_id(each) for each in sorted(pack.needs)],
        "warnings": list(pack.warnings),
        "access": _accesses(pack.steps, pack.workspace, known),
        "steps": [step_value(step, with_calls=with_calls) for step in pack.steps],
    }


def _pack_id(pack: PackId) -> Json:
    return {"business_line": pack.business_line, "project_name": pack.project_name}


def _accesses(steps: Iterable[Step], first: str, known: People) -> list[Json]:
    return [_access(change, where, known) for where, changes in access_of(steps, first).items() for change in changes]


def _access(change: AccessChange, workspace: str, known: People) -> Json:
    return {
        "recipient": change.recipient,
        "workspace": workspace,
        "who": who(change.recipient, workspace, known),
        "gains": list(change.gains),
        "loses": list(change.loses),
        "reads_otherwise": list(change.reads_otherwise),
        "reads_after": change.reads_after,
        "is_drift": change.is_drift,
    }


def _problem(problem: Problem) -> Json:
    return {
        "rule": problem.rule,
        "severity": str(problem.severity),
        "message": problem.message,
        "hint": problem.hint,
        "where": where_value(problem.where),
        "also": None if problem.also is None else where_value(problem.also),
    }
