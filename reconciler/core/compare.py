"""The three-way table: desired, recorded and actual in, one verdict out.

Plan, drift report, adoption, "why" and the worker's last look before a call all ask here; there is no second diff.

    desired  recorded          actual   verdict
    D        –                 –        Create
    D        –                 A        Adopt when the pack says so, else Conflict
    D        R or open intent  A = D    Keep, or Record when the rows are behind
    D        R = D             A ≠ D    Update, cause drift; Drifted where drift is only reported or contested
    D        R = A             A ≠ D    Update, cause file
    D        R                 A        Update, cause both (all three differ)
    D        R (old name)      A (old)  Rename
    D        R                 A        Replace, when a recipient's authentication differs and that is allowed by name
    D        R                 –        Create, cause drift
    –        R                 A        Delete (guarded elsewhere)
    –        R, released       any      Release
    –        R or open intent  –        Forget
    –        open intent       A        Conflict: nobody can prove it is ours
    –        –                 A        Ignore
    any      any               unreadable  Unknown, or Ignore when it is not ours at all
"""

from dataclasses import dataclass
from typing import assert_never

from reconciler.core.actual import Absent, Found, Observed, Unreadable
from reconciler.core.changes import Cause, FieldChange, TokenChange, combined_cause, field_changes
from reconciler.core.holds import EXISTENCE, as_left, is_as_recorded, parted
from reconciler.core.recipient import Recipient
from reconciler.core.resource import Resource
from reconciler.core.rotation import still_due
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


@dataclass(frozen=True, slots=True)
class ThreeStates:
    desired: Resource | None
    recorded: Resource | None
    actual: Observed
    #: The pack may take over an existing resource.
    adopt: bool = False
    #: A call on this resource was begun and its outcome is not known.
    intended: bool = False
    #: The rows name another pack of the business line, another name or no commit: they need a version all the same.
    rows_behind: bool = False
    #: It still bears the name it had; `recorded` and `actual` are those of the old name.
    renames: bool = False
    #: What was decided about the recipient's token.
    token: TokenChange | None = None
    #: The pack lets go of it.
    released: bool = False
    #: What was changed by hand is told, not corrected.
    reports_drift: bool = False
    #: Fields (`core.holds.path_of`) that somebody keeps changing back: left as they are.
    contested: frozenset[str] = frozenset()


def compare(states: ThreeStates) -> Verdict:
    if states.released and states.desired is None:
        return Ignore() if states.recorded is None else Release(states.recorded)
    match states.actual:
        case Unreadable(reason):
            ours = states.desired is not None or states.recorded is not None
            return Unknown(reason) if ours else Ignore()
        case Absent():
            return _compare_with_nothing(states)
        case Found(resource):
            if states.desired is None:
                return _undesired(states, resource)
            return _compare_with(states, states.desired, states.actual)
        case _:
            assert_never(states.actual)


def _compare_with_nothing(states: ThreeStates) -> Verdict:
    if states.desired is not None:
        # What became of a call that was begun is for a worker to find out.
        is_contested = EXISTENCE in states.contested and not states.rows_behind
        if (states.reports_drift or is_contested) and _is_as_recorded(states, states.desired):
            return Drifted(None, ())
        return Create(states.desired, Cause.FILE if states.recorded is None else Cause.DRIFT)
    is_known = states.recorded is not None or states.intended
    return Forget(states.recorded) if is_known else Ignore()


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


def _compare_with(states: ThreeStates, desired: Resource, found: Found) -> Verdict:
    actual = found.resource
    is_ours = states.recorded is not None or states.intended
    if _is_other_authentication(desired, actual):
        return _replaced(states, desired, actual) if is_ours else _other_kind_conflict(desired, actual)
    changes: tuple[FieldChange, ...] = field_changes(desired, states.recorded, actual)
    if not is_ours and not states.adopt:
        return _not_ours(changes)
    left, rest = parted(changes, states.contested) if is_ours else ((), changes)
    wanted = as_left(desired, actual, left)
    token = still_due(states.token, found, wanted)
    rest = rest if token is None else (*rest, token)
    if states.renames or not is_ours:
        return Rename(actual, wanted, rest) if is_ours else Adopt(actual, wanted, rest)
    is_as_recorded = _is_as_recorded(states, desired)
    if not rest:
        return _unchanged(states, wanted, actual, left, is_as_recorded=is_as_recorded)
    cause = combined_cause(rest)
    if cause is Cause.DRIFT and is_as_recorded and states.reports_drift:
        return Drifted(actual, changes)
    # The pack may also have changed what only our record holds, such as `protect`.
    return Update(actual, wanted, rest, Cause.BOTH if cause is Cause.DRIFT and not is_as_recorded else cause)


def _is_as_recorded(states: ThreeStates, desired: Resource) -> bool:
    return is_as_recorded(desired, states.recorded, states.contested)


def _unchanged(
    states: ThreeStates, wanted: Resource, actual: Resource, left: tuple[FieldChange, ...], *, is_as_recorded: bool
) -> Verdict:
    is_current = not states.rows_behind and (states.recorded == wanted or (bool(left) and is_as_recorded))
    if not is_current:
        return Record(states.recorded, wanted)
    return Drifted(actual, left) if left else Keep(actual)


def _not_ours(changes: tuple[FieldChange, ...]) -> Conflict:
    return Conflict(
        rule="exists-not-ours",
        message="exists in the workspace and was not made from a pack",
        hint="write `adopt: true` on it to take it over, or choose another name",
        changes=changes,
    )


def _is_other_authentication(desired: Resource, actual: Resource) -> bool:
    """How a recipient proves who it is cannot be changed in place (contract 2.3)."""
    if not isinstance(desired, Recipient) or not isinstance(actual, Recipient):
        return False
    return desired.authentication != actual.authentication


def _replaced(states: ThreeStates, desired: Resource, actual: Resource) -> Verdict:
    if not states.renames:
        return Replace(actual, desired)
    return Conflict(
        rule="renamed-and-replaced",
        message=f"is to be renamed, and to become {_authentication(desired)}; it is {_authentication(actual)} for good",
        hint="rename it in one commit and change its type in another; or give the new recipient a name of its own",
    )


def _other_kind_conflict(desired: Resource, actual: Resource) -> Conflict:
    was, wanted = (_authentication(actual), _authentication(desired))
    return Conflict(
        rule="recipient-not-replaceable",
        message=f"exists, was not made from a pack, and is {was}; the pack wants {wanted}, which is fixed at creation",
        hint="give the new recipient another name, or declare it as it is",
    )


def _authentication(resource: Resource) -> str:
    return str(resource.authentication) if isinstance(resource, Recipient) else ""
