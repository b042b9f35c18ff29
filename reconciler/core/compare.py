"""The three-way table: desired, recorded and actual in, one verdict out.

Plan, drift report, adoption, "why" and the worker's last look before a call all ask here; there is no second diff.

    desired  recorded          actual   verdict
    D        –                 –        Create
    D        –                 A        Adopt when the pack says so, else Conflict
    D        R or open intent  A = D    Keep, or Record when the rows are behind
    D        R = D             A ≠ D    Update, cause drift
    D        R = A             A ≠ D    Update, cause file
    D        R                 A        Update, cause both (all three differ)
    D        R                 –        Create, cause drift
    –        R                 A        Delete (guarded elsewhere)
    –        R                 –        Forget
    –        open intent       A        Conflict: nobody can prove it is ours
    –        –                 A        Ignore
    any      any               unreadable  Unknown, or Ignore when it is not ours at all
"""

from dataclasses import dataclass
from typing import assert_never

from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.changes import Cause, combined_cause, field_changes
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
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


@dataclass(frozen=True, slots=True)
class ThreeStates:
    desired: Resource | None
    recorded: Resource | None
    actual: Observed
    #: The pack may take over an existing resource.
    adopt: bool = False
    #: A call on this resource was begun and its outcome is not known.
    intended: bool = False
    #: The rows name another pack of the business line, or no commit yet: they need a version all the same.
    rows_behind: bool = False


def compare(states: ThreeStates) -> Verdict:
    match states.actual:
        case Unreadable(reason):
            ours = states.desired is not None or states.recorded is not None
            return Unknown(reason) if ours else Ignore()
        case Absent():
            return _compare_with_nothing(states)
        case Found(resource):
            if states.desired is None:
                return _undesired(states, resource)
            return _compare_with(states, states.desired, resource)
        case _:
            assert_never(states.actual)


def _compare_with_nothing(states: ThreeStates) -> Verdict:
    if states.desired is not None:
        return Create(states.desired, Cause.FILE if states.recorded is None else Cause.DRIFT)
    return Ignore() if states.recorded is None else Forget(states.recorded)


def _undesired(states: ThreeStates, actual: Resource) -> Verdict:
    if states.recorded is not None:
        return Delete(actual)
    if states.intended:
        return Conflict(
            rule="unproven-owner",
            message="a call on it was begun, its outcome was never seen, and no pack declares it any more",
            hint="declare it again (then it is brought into order) or delete it by hand",
        )
    return Ignore()


def _compare_with(states: ThreeStates, desired: Resource, actual: Resource) -> Verdict:
    changes = field_changes(desired, states.recorded, actual)
    if (conflict := _fixed_field_conflict(desired, actual)) is not None:
        return conflict
    if states.recorded is None and not states.intended:
        if states.adopt:
            return Adopt(actual, desired, changes)
        return Conflict(
            rule="exists-not-ours",
            message="exists in the workspace and was not made from a pack",
            hint="write `adopt: true` on it to take it over, or choose another name",
            changes=changes,
        )
    if changes:
        return Update(actual, desired, changes, combined_cause(changes))
    if states.recorded == desired and not states.rows_behind:
        return Keep(actual)
    return Record(states.recorded, desired)


def _fixed_field_conflict(desired: Resource, actual: Resource) -> Conflict | None:
    """How a recipient proves who it is cannot be changed in place (contract 2.3); replacing it would cost the partner
    its token, so that is never done implicitly."""
    if not isinstance(desired, Recipient) or not isinstance(actual, Recipient):
        return None
    if desired.authentication == actual.authentication:
        return None
    return Conflict(
        rule="recipient-not-replaceable",
        message=f"is {actual.authentication}, the pack wants {desired.authentication}; that is fixed at creation",
        hint="give the new recipient another name, move the grants, then remove the old one in a later commit",
    )
