"""What a step's first line says: its sign, which resource, what is done to it beyond what the sign says, and where the
file says so."""

from pathlib import PurePosixPath
from typing import TypeAlias, assert_never

from reconciler.core.plan import Step
from reconciler.core.problem import Where
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
from reconciler.render.access_text import short_workspace
from reconciler.render.lines import Tone

_Changing: TypeAlias = Create | Update | Adopt | Rename | Replace | Delete
_AS_IT_IS = "would be taken over as it is; nothing at Databricks changes"


def step_title(step: Step, workspace: str) -> str:
    """The key, where it is when that is not `workspace`, and what is done beyond what the sign says."""
    elsewhere = "" if step.key.workspace == workspace else f" in {short_workspace(step.key.workspace)}"
    words = _words(step)
    return f"{step.key}{elsewhere}  {words}" if words else f"{step.key}{elsewhere}"


def step_sign(step: Step) -> tuple[str, Tone]:
    if step.is_held:
        return "!", Tone.TROUBLE
    match step.verdict:
        case Create():
            sign = "+", Tone.ADD
        case Update() | Adopt() | Rename():
            sign = "~", Tone.CHANGE
        case Replace():
            sign = "±", Tone.TROUBLE
        case Delete():
            sign = "-", Tone.REMOVE
        case Drifted():
            sign = "≠", Tone.DRIFT
        case Record() | Keep() | Forget() | Release() | Conflict() | Unknown() | Ignore():
            sign = "=", Tone.DIM
        case _:
            assert_never(step.verdict)
    return sign


def short_place(where: Where) -> str:
    name = PurePosixPath(where.path).name
    if where.sheet:
        return f"{name}:{where.sheet}!{where.cell}" if where.cell else f"{name}:{where.sheet}"
    return f"{name}:{where.line}" if where.line else name


def _words(step: Step) -> str:
    match step.verdict:
        case Create() | Update() | Adopt() | Rename() | Replace() | Delete():
            words = f"held: {_would(step, step.verdict)}" if step.is_held else _done(step, step.verdict)
        case Record() | Forget() | Release():
            words = "held: waits" if step.is_held else _to_our_record(step.verdict)
        case Drifted():
            deed = "deleted" if step.verdict.actual is None else "changed"
            words = "held: nothing else to do" if step.is_held else f"{deed} by hand, left as it is"
        case Keep() | Ignore():
            words = "held: nothing else to do" if step.is_held else ""
        case Conflict():
            words = "conflict"
        case Unknown():
            words = "cannot be read"
        case _:
            assert_never(step.verdict)
    return words


def _to_our_record(verdict: Record | Forget | Release) -> str:
    match verdict:
        case Record():
            return "as the file says; our record is brought up to date"
        case Forget(None):
            return "not there; what was begun on it and never answered is closed"
        case Forget():
            return "gone already; our record is closed"
        case Release():
            return "let go of (release): it stays as it is and our record is closed"
        case _:
            assert_never(verdict)


def _would(step: Step, verdict: _Changing) -> str:
    match verdict:
        case Create():
            return "would be created"
        case Update():
            return "would be updated"
        case Rename():
            return f"would be {_renamed(step, verdict)}"
        case Replace():
            return "would be deleted and made anew"
        case Delete():
            return "would be deleted"
        case Adopt(changes=changes):
            return "would be taken over" if changes else _AS_IT_IS
        case _:
            assert_never(verdict)


def _done(step: Step, verdict: _Changing) -> str:
    match verdict:
        case Create() | Update():
            return ""
        case Rename():
            return _renamed(step, verdict)
        case Replace():
            return "deleted and made anew"
        case Delete():
            return "deleted"
        case Adopt(changes=changes):
            return "taken over (adopt: true)" if changes else _AS_IT_IS
        case _:
            assert_never(verdict)


def _renamed(step: Step, verdict: Rename) -> str:
    return f"renamed from {step.key.kind}/{step.renamed_from or verdict.before.name}"
