"""What a plan saw of one resource that is worth telling until the next look: objects nobody gets to read, changes made
by hand that are not corrected yet, and when a recipient's token ends."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final

from reconciler.core.changes import Cause, FieldChange, field_changes
from reconciler.core.holds import EXISTENCE, changed_by_hand, parted, path_of
from reconciler.core.plan import Degraded, Plan, Step
from reconciler.core.verdict import Adopt, Create, Drifted, Record, Rename, Update

#: Days before the end of a token at which it is worth a word.
NOTICE_DAYS: Final = (30, 14, 7, 1)


@dataclass(frozen=True, slots=True)
class Sighting:
    degraded: tuple[Degraded, ...] = ()
    #: The fields changed by hand, as `core.holds.path_of` names them, sorted.
    drift: tuple[str, ...] = ()
    #: Who changed the resource last, where it drifted and Databricks told.
    drifted_by: str = ""
    #: When the newest token of a recipient ends, in epoch milliseconds; None: never, or there is none.
    token_ends_at: int | None = None
    #: Since when there is drift without a look that found none; the ledger keeps it. None until it is on record.
    drift_since: datetime | None = None

    @property
    def is_notable(self) -> bool:
        return bool(self.degraded or self.drift) or self.token_ends_at is not None


def sighting(step: Step) -> Sighting:
    drift = drifted_fields(step)
    by = step.seen.updated_by if drift and step.seen is not None else ""
    ends_at = step.seen.token_ends_at if step.desired is not None and step.seen is not None else None
    return Sighting(step.degraded, drift, by, ends_at)


def drifted_fields(step: Step) -> tuple[str, ...]:
    """Those that are left alone because they are contested count as well."""
    left = {path_of(change) for change in left_alone(step)}
    match step.verdict:
        case Drifted(actual=None) | Create(cause=Cause.DRIFT):
            return (EXISTENCE,)
        case Drifted(changes=changes):
            return tuple(sorted(left | {path_of(change) for change in changes}))
        case Update(changes=changes) | Rename(changes=changes) | Adopt(changes=changes):
            return tuple(sorted(left | changed_by_hand(changes)))
        case _:
            return tuple(sorted(left))


def left_alone(step: Step) -> tuple[FieldChange, ...]:
    """What the pack wants otherwise and is not changed, because it is contested. Whose doing it was is not told."""
    contested = {contest.field for contest in step.contests}
    if not contested or step.desired is None:
        return ()
    match step.verdict:
        case Update(before=actual) | Rename(before=actual) | Record(after=actual) | Drifted(actual=actual):
            changes = () if actual is None else field_changes(step.desired, step.desired, actual)
            return parted(changes, contested)[0]
        case _:
            return ()


def has_drifted(plan: Plan) -> bool:
    return any(drifted_fields(step) for step in plan.steps)


def notice_due(ends_at: int, now: int) -> int | None:
    """The smallest of `NOTICE_DAYS` within which a token ends, both in epoch milliseconds; 0 when it has ended, None
    when there is time."""
    if ends_at <= now:
        return 0
    days = (ends_at - now) / 86_400_000
    within = [each for each in NOTICE_DAYS if days <= each]
    return min(within) if within else None
