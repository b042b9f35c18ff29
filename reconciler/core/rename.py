"""A resource that the pack gives a new name: where its record and its actual state are found until it bears it."""

from dataclasses import dataclass, replace

from reconciler.core.actual import Absent, Actual, Found, Observed, Unreadable
from reconciler.core.key import Key
from reconciler.core.recorded import Recorded, RecordedState


@dataclass(frozen=True, slots=True)
class Followed:
    recorded: Recorded | None
    actual: Observed
    #: It still bears the old name and is ours: the rename is to be done.
    is_due: bool = False
    #: It bears the new name and our record has only the old one: the rename was done, and the rows are behind.
    is_done: bool = False


def follow(key: Key, old_name: str, recorded: RecordedState, actual: Actual, unseen: Observed) -> Followed:
    """`unseen` is the answer for what was not looked at."""
    row, found = recorded.resources.get(key), actual.get(key, unseen)
    if not old_name or row is not None:
        return Followed(row, found)
    old_key = replace(key, name=old_name)
    old_row, old_found = recorded.resources.get(old_key), actual.get(old_key, unseen)
    if old_row is None:
        return Followed(None, found)
    match found, old_found:
        case Absent(), Found():
            return Followed(old_row, old_found, is_due=True)
        case Found(), Absent() if key in recorded.open_intents:
            return Followed(old_row, found, is_done=True)
        case Absent(), Unreadable():
            # It may well be there: a second one under the new name would cost its partner the token.
            return Followed(None, old_found)
        case _:
            # Both are there, neither is, or the new one cannot be read: then the new name stands for itself.
            return Followed(None, found)
