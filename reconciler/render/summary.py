"""Counts over a plan, and the one summary line that programs may rely on."""

from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import assert_never

from reconciler.core.changes import Cause
from reconciler.core.plan import Step
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
)
from reconciler.render.contest_text import is_all_contested


@dataclass(frozen=True, slots=True)
class Summary:
    """How many resources; each is counted once, `drifted` and `degraded` aside, which look across the others."""

    create: int = 0
    update: int = 0
    delete: int = 0
    unchanged: int = 0
    adopt: int = 0
    rename: int = 0
    #: Deleted and made anew.
    replace: int = 0
    #: The pack lets go of them.
    release: int = 0
    #: Only rows of ours change.
    record: int = 0
    #: Changed by hand and left so, because the pack only wants to be told.
    reported: int = 0
    #: Changed by hand and left so, because it was put back too often.
    contested: int = 0
    #: Would be changed, and something stands against it; conflicts and unreadable ones included.
    held: int = 0
    drifted: int = 0
    #: Shared data objects, not resources, that nobody gets to read.
    degraded: int = 0

    def __str__(self) -> str:
        """`Plan: 3 to create, 1 to update, 0 to delete, 12 unchanged.` and what else there is to say."""
        more = (
            (self.adopt, "to adopt"),
            (self.rename, "to rename"),
            (self.replace, "to replace"),
            (self.release, "to release"),
            (self.record, "to record"),
            (self.drifted, "drifted"),
            (self.reported, "only reported"),
            (self.contested, "contested"),
            (self.held, "held"),
            (self.degraded, f"data object{'s'[: self.degraded != 1]} degraded"),
        )
        first = (
            f"Plan: {self.create} to create, {self.update} to update, {self.delete} to delete, "
            f"{self.unchanged} unchanged."
        )
        return first + "".join(f" {count} {words}." for count, words in more if count)

    def as_dict(self) -> dict[str, int]:
        return {field.name: getattr(self, field.name) for field in fields(self)}


def summarize(steps: Iterable[Step]) -> Summary:
    counts = {field.name: 0 for field in fields(Summary)}
    for step in steps:
        if (place := _place(step)) is not None:
            counts[place] += 1
        if is_drift(step):
            counts["drifted"] += 1
        counts["degraded"] += len(step.degraded)
    return Summary(**counts)


def is_drift(step: Step) -> bool:
    """Whether somebody's hand in the workspace is at least part of what there is to do or to tell."""
    match step.verdict:
        case Create(_, cause) | Update(_, _, _, cause):
            return cause is not Cause.FILE
        case Rename(changes=changes) | Adopt(changes=changes):
            return any(change.cause is not Cause.FILE for change in changes)
        case Drifted():
            return True
        case _:
            return False


def _place(step: Step) -> str | None:
    place: str | None
    match step.verdict:
        case Create() | Update() | Delete() | Adopt() | Rename() | Replace() | Release():
            place = type(step.verdict).__name__.lower()
        case Record() | Forget():
            place = "record"
        case Keep():
            place = "unchanged"
        case Drifted():
            place = "contested" if is_all_contested(step) else "reported"
        case Ignore():
            place = None
        case Conflict() | Unknown():
            place = "held"
        case _:
            assert_never(step.verdict)
    return "held" if step.is_held else place
