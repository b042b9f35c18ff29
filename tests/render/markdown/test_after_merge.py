"""What a merged pull request is told when something waits for approval, and when work failed or did not."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from uuid import UUID

from reconciler.core.approval import Approvals, Approved, with_approvals
from reconciler.core.guard import waits_for_held
from reconciler.core.key import Kind
from reconciler.core.lowering import lower
from reconciler.core.plan import PackPlan, Plan
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.share import Share
from reconciler.ports.ledger import OperationRecord, Work, WorkStatus
from reconciler.render.markdown import APPLIED_MARKER, HELD_MARKER, LIMIT, held_comment, outcome_comment
from reconciler.render.markdown.escape import length
from tests.render.golden_files import the_text_is_as_committed
from tests.render.markdown.attacks import ATTACKS
from tests.render.markdown.proposals import hostile
from tests.render.markdown.rendered import nothing_is_smuggled, seen
from tests.render.plans import PARTNER, SALES, Scene, plan_of, table

_AT = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
_OTHER = Recipient("partner-x", TokenSharing(), "data@partner-x.example")
_WIDE = replace(
    SALES,
    objects=frozenset({table("prod.sales.customers"), table("prod.sales.refunds")}),
    recipients=frozenset({"sales-analyst", "partner-x"}),
)


def grown() -> Plan:
    """Approved was that one recipient reads the customers; by now it is two, and refunds as well."""
    small = replace(_WIDE, objects=frozenset({table("prod.sales.customers")}), recipients=frozenset({"sales-analyst"}))
    before = replace(small, objects=frozenset())
    (pack,) = plan_of(Scene([PARTNER, _OTHER, small], [PARTNER, _OTHER, before], [PARTNER, _OTHER, before])).packs
    plan = plan_of(Scene([PARTNER, _OTHER, _WIDE], [PARTNER, _OTHER, before], [PARTNER, _OTHER, before]))
    approved = Approved(pack.fingerprint, pack.actions, pack.workspace, pack.gains)
    return replace(plan, packs=with_approvals(plan.packs, Approvals({pack.pack: approved}), frozenset()))


def test_what_is_new_is_told_with_the_words_that_approve_it() -> None:
    plan = grown()
    body = held_comment(plan.packs)
    the_text_is_as_committed("markdown/held.md", body)
    assert body.startswith(f"{HELD_MARKER}\n")
    nothing_is_smuggled(body)
    text = seen(body)
    assert "partner-x (D2O, outside, data@partner-x.example, from any address) will be able to read 2 tables" in text
    assert "partner-x reads prod.sales.refunds" in text
    (lift,) = {each.lift for pack in plan.packs for step in pack.steps for each in step.objections}
    assert f"sharepack approve {lift.removeprefix('approve:')}" in text
    assert "sales-analyst reads prod.sales.customers" not in text


def test_when_nothing_waits_any_more_that_is_said() -> None:
    body = held_comment([])
    assert body.startswith(f"{HELD_MARKER}\n")
    assert "Nothing is held any more." in seen(body)


def of_nobody(plan: Plan) -> tuple[PackPlan, ...]:
    return with_approvals(plan.packs, Approvals(), frozenset())


def test_what_waits_says_nothing_but_text() -> None:
    packs = of_nobody(hostile().plan)
    body = held_comment(packs)
    assert length(body) <= LIMIT
    nothing_is_smuggled(body)
    for pack in packs[:40]:
        nothing_is_smuggled(held_comment([pack]))


def test_a_long_comment_does_not_hide_who_is_let_in() -> None:
    wordy = replace(SALES, comment="; x reads nothing" * 10_000)
    body = held_comment(of_nobody(plan_of(Scene([PARTNER, wordy]))))
    assert length(body) <= LIMIT
    assert "sales-analyst (D2O, outside" in seen(body)
    assert "sharepack approve " in seen(body)


def test_who_is_let_in_is_told_also_when_the_recipient_is_new_and_waits_itself() -> None:
    (pack,) = of_nobody(plan_of(Scene([PARTNER, SALES])))
    follows = waits_for_held("sales-analyst")
    steps = (
        replace(step, objections=(*step.objections, follows)) if step.key.kind is Kind.SHARE else step
        for step in pack.steps
    )
    body = seen(held_comment([replace(pack, steps=tuple(steps))]))
    assert "sales-analyst (D2O, outside" in body
    assert "will be able to read" in body
    assert "Nobody gains" not in body


def test_hundreds_of_packs_that_wait_fit() -> None:
    scenes = (
        Scene([replace(PARTNER, name=f"r{each}"), Share(f"s{each}", "words " * 100)], project=f"p{each}")
        for each in range(400)
    )
    body = held_comment(of_nobody(plan_of(*scenes)))
    assert length(body) <= LIMIT
    assert "400 packs not applied" in seen(body)
    assert "more packs left out here" in seen(body)


def failed(status: WorkStatus, reason: str, plan: Plan) -> Work:
    (pack,) = plan.packs
    return Work(UUID(int=1), pack.pack, status, 3, reason)


def records(plan: Plan, *outcomes: str) -> Iterator[OperationRecord]:
    (pack,) = plan.packs
    operations = [each for step in pack.steps for each in lower(step.key, step.verdict)]
    for number, (operation, outcome) in enumerate(zip(operations, outcomes, strict=False)):
        reason = "PERMISSION_DENIED: @ops <b>no</b>" if outcome == "refused" else ""
        call = type(operation.call).__name__
        yield OperationRecord(
            UUID(int=1), pack.pack, operation.key, call, {}, outcome, _AT, reason=reason, request_id=f"req-{number}"
        )


def test_a_failure_is_told_with_what_was_applied_and_what_was_not() -> None:
    plan = plan_of(Scene([PARTNER, _OTHER, _WIDE]))
    work = failed(WorkStatus.FAILED, "PERMISSION_DENIED: @ops <b>no</b>", plan)
    body = outcome_comment(plan, [work], list(records(plan, "done", "refused")))
    the_text_is_as_committed("markdown/failed.md", body)
    assert body.startswith(f"{APPLIED_MARKER}\n")
    nothing_is_smuggled(body)
    text = seen(body)
    assert "1 pack of 1 failed; 0 applied." in text
    for said in ("applied", "failed", "request req-1", "not tried", "What was applied stays applied."):
        assert said in text


def test_a_failure_that_is_over_is_told_too() -> None:
    plan = plan_of(Scene([PARTNER]))
    body = outcome_comment(plan, [failed(WorkStatus.DONE, "", plan)], [])
    assert body.startswith(f"{APPLIED_MARKER}\n")
    assert "All is applied after all: 1 pack as the plan says." in seen(body)


def test_a_reason_says_nothing_but_text() -> None:
    plan = plan_of(Scene([PARTNER]))
    for text in ATTACKS:
        record = next(records(plan, "refused"))
        bad = replace(record, reason=text, request_id=text)
        body = outcome_comment(plan, [failed(WorkStatus.FAILED, text, plan)], [bad])
        assert length(body) <= LIMIT
        nothing_is_smuggled(body)
