"""How the work of a plan ended that did not all end well: what was applied, what failed, what nobody knows, and what
was not attempted, each call with the id Databricks gave the request."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Final

from reconciler.core.key import Key
from reconciler.core.lowering import lower
from reconciler.core.plan import PackPlan, Plan
from reconciler.ports.ledger import OperationRecord, Work, WorkStatus
from reconciler.render.lines import Line, Span, Tone, line, pad

_CALLS: Final[Mapping[str, str]] = {
    "CreateRecipient": "create it",
    "UpdateRecipient": "update it",
    "RotateToken": "give it a new token",
    "CreatePolicy": "add a federation policy",
    "DeletePolicy": "remove a federation policy",
    "DeleteRecipient": "delete it",
    "CreateShare": "create it",
    "UpdateShare": "update it",
    "ChangeGrants": "change who may read it",
    "DeleteShare": "delete it",
    "ChangeOwner": "change its owner",
    "Rename": "rename it",
}
_WORDS: Final[Mapping[str, tuple[str, Tone]]] = {
    "done": ("applied", Tone.ADD),
    "resolved": ("found done", Tone.ADD),
    "refused": ("failed", Tone.TROUBLE),
    "begun": ("unknown", Tone.CHANGE),
    "unknown": ("unknown", Tone.CHANGE),
}
#: Ended as they should, as far as they may.
_WELL: Final = frozenset({WorkStatus.DONE, WorkStatus.HELD})


def result_lines(plan: Plan, work: Iterable[Work], operations: Sequence[OperationRecord]) -> list[Line]:
    """Of the packs that did not end well; empty when all did."""
    packs = {pack.pack: pack for pack in plan.packs}
    said: list[Line] = []
    for item in work:
        if item.status not in _WELL:
            said.append(line(Span(f"{item.pack}: {item.status}", Tone.TROUBLE), f"   {item.reason}"))
            said += _calls_of(packs.get(item.pack), [each for each in operations if each.work_id == item.id])
    return said


def _calls_of(pack: PackPlan | None, operations: Sequence[OperationRecord]) -> Iterator[Line]:
    heard = [each for each in operations if each.outcome in _WORDS]
    for each in heard:
        word, tone = _WORDS[each.outcome]
        request = f"   request {each.request_id}" if each.request_id else ""
        why = f": {each.reason}" if each.outcome == "refused" else ""
        yield _line(word, tone, each.key, each.call, f"{why}{request}")
    for key, call in [] if pack is None else not_attempted(pack, heard):
        yield _line("not tried", Tone.DIM, key, call, "")


def _line(word: str, tone: Tone, key: Key, call: str, more: str) -> Line:
    return line(Span(f"  {pad(word, 11)}", tone), f"{key}  {_CALLS.get(call, call)}", Span(more, Tone.DIM))


def not_attempted(pack: PackPlan, operations: Iterable[OperationRecord]) -> list[tuple[Key, str]]:
    """The calls the plan stands for and that were not begun, in order: resource and name of the call."""
    begun = Counter((each.key, each.call) for each in operations)
    left: list[tuple[Key, str]] = []
    for step in pack.steps:
        for operation in lower(step.key, step.verdict) if step.is_work else ():
            each = (operation.key, type(operation.call).__name__)
            if begun[each]:
                begun[each] -= 1
            else:
                left.append(each)
    return left
