"""What a merged pull request is told: which packs wait for approval and what is new in them, and how the work ended."""

from collections.abc import Iterator, Sequence
from typing import Final

from reconciler.core.allowance import APPROVE
from reconciler.core.desired import Revision
from reconciler.core.plan import PackPlan, Plan
from reconciler.ports.ledger import OperationRecord, Work, WorkStatus
from reconciler.render.element_text import counted, shortened
from reconciler.render.markdown.access import access, access_sentences
from reconciler.render.markdown.blocks import diff_block, folded
from reconciler.render.markdown.comment import LIMIT
from reconciler.render.markdown.escape import code, html_code, prose
from reconciler.render.markdown.fitting import Part, fit
from reconciler.render.markdown.held import let_go
from reconciler.render.markdown.severity import severity_blocks
from reconciler.render.result_text import result_lines

HELD_MARKER: Final = "<!-- sharepack:held -->"
APPLIED_MARKER: Final = "<!-- sharepack:applied -->"
_NOT_APPROVED: Final = "not-approved"
_WELL: Final = frozenset({WorkStatus.DONE, WorkStatus.HELD})
_NEXT: Final = (
    "What was applied stays applied. Mend the cause and apply again (run the workflow anew, or `sharepack apply`): "
    "only what is missing is done then. This comment will say when all is well."
)
#: Of what is new in a pack. Who is let in is told in any case.
_LISTED: Final = 30
_ELSEWHERE: Final = "`sharepack plan` shows all"


def held_comment(packs: Sequence[PackPlan]) -> str:
    """`packs` have more to do than was approved; none: nothing waits any more."""
    heading = f"{HELD_MARKER}\n## Held after the merge"
    if not packs:
        return fit([Part(heading, ("Nothing is held any more.",))], LIMIT, _ELSEWHERE).text
    said = (
        f"**{counted(len(packs), 'pack')} not applied**: there is more to do now than was approved in this pull "
        "request. Nothing of it is done until somebody with write access approves it, by writing the line that stands "
        "with it in a comment here."
    )
    items = tuple("\n\n".join(filter(None, _held(pack))) for pack in packs)
    return fit([Part(heading, (said,)), Part("", items, rank=1, noun="packs")], LIMIT, _ELSEWHERE).text


def outcome_comment(plan: Plan, work: Sequence[Work], operations: Sequence[OperationRecord]) -> str:
    failed = [item for item in work if item.status not in _WELL]
    well = len(work) - len(failed)
    if not failed:
        well_words = (f"All is applied after all: {counted(len(work), 'pack')} as the plan says.",)
        return fit([Part(f"{APPLIED_MARKER}\n## Applied", well_words)], LIMIT, _ELSEWHERE).text
    said = (
        f"**{counted(len(failed), 'pack')} of {len(work):,} failed**; {well:,} applied.",
        _NEXT,
    )
    items = tuple(_ended(plan, item, operations) for item in failed)
    head = Part(f"{APPLIED_MARKER}\n## Not all of it was applied", said)
    parts = [head, Part("", items, rank=1, noun="packs")]
    return fit(parts, LIMIT, "`sharepack status` tells all").text


def _held(pack: PackPlan) -> Iterator[str]:
    """As it would be with the approval: what the objection holds is counted as done."""
    freed = let_go(pack, lambda objection: objection.rule == _NOT_APPROVED)
    yield f"### {code(pack.path)} {code(str(pack.pack))}"
    said = "\n".join(access_sentences(access(Plan(Revision(), (freed,)))))
    yield f"Once it is approved:\n\n{said}" if said else "Nobody gains or loses a data object by it."
    objections = {each for step in pack.steps for each in step.objections if each.rule == _NOT_APPROVED}
    for objection in objections:
        why = objection.message.partition(f": {objection.details[0]}")[0]
        yield f"New, and not approved ({prose(why)}):"
        yield "\n".join(_new(objection.details, pack.workspace))
        yield f"To approve it: {code(objection.lift.replace(f'{APPROVE}:', 'sharepack approve '))}"
    yield "\n\n".join(severity_blocks(Plan(Revision(), (freed,))))


def _new(items: Sequence[str], workspace: str) -> Iterator[str]:
    """Item by item; how long a comment is that somebody wrote does not keep the rest from being read."""
    for item in items[:_LISTED]:
        yield f"- {prose(shortened(item.removesuffix(f' in {workspace}')))}"
    if len(items) > _LISTED:
        yield f"- … and {len(items) - _LISTED:,} more"


def _ended(plan: Plan, item: Work, operations: Sequence[OperationRecord]) -> str:
    summary = f"{html_code(str(item.pack))}: {item.status}"
    return folded(summary, prose(item.reason), diff_block(result_lines(plan, [item], operations)[1:]))
