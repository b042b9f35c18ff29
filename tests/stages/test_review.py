"""Which plan counts as approved, who approved it, and whose words let go on."""

from datetime import UTC, datetime, timedelta

from reconciler.core.approval import Approved
from reconciler.core.key import PackId
from reconciler.core.plan import fingerprint, plan_fingerprint
from reconciler.ports.ledger import ShownPlan
from reconciler.ports.pull_requests import Approval, PullRequest, Said
from reconciler.stages.review import _counting, _let_go, _seen, _words

SALES = PackId.of("Sales", "Q1")
HEAD, OLDER = "a" * 40, "b" * 40
NOON = datetime(2030, 1, 1, 12, tzinfo=UTC)
WHERE = "https://adb-1.example"
MERGED = PullRequest(
    7, "More tables", "rob", HEAD, "main", "", is_merged=True, merge_commit="c" * 40, merged_by="cyd", merged_at=NOON
)


def at(minutes: float) -> datetime:
    return NOON + timedelta(minutes=minutes)


def shown(minutes: float, *actions: str, head: str = HEAD) -> ShownPlan:
    done = frozenset(actions)
    pack = Approved(fingerprint(SALES, WHERE, done, ()), done, WHERE)
    return ShownPlan("o/n", 7, head, plan_fingerprint([pack.fingerprint]), {SALES: pack}, at(minutes))


def review(minutes: float, by: str = "ann", commit: str = HEAD) -> Approval:
    return Approval(by, "review", at(minutes), commit)


def test_the_newest_plan_that_the_approver_could_see_counts() -> None:
    plans = [shown(-30, "a"), shown(-20, "a", "b"), shown(-5, "a", "b", "c")]
    assert _seen(MERGED, plans, [review(-10)]) == plans[1]
    assert _seen(MERGED, plans, [review(-25), review(-1, by="bob")]) == plans[2]


def test_a_plan_shown_after_the_approval_was_approved_by_nobody() -> None:
    assert _seen(MERGED, [shown(-5, "a")], [review(-10)]) is None


def test_a_plan_of_an_older_commit_does_not_count_for_what_was_merged() -> None:
    assert _seen(MERGED, [shown(-30, "a", head=OLDER)], [review(-10)]) is None


def test_a_plan_that_does_not_stand_for_its_fingerprint_does_not_count() -> None:
    honest, forged = shown(-30, "a"), shown(-20, "a", "b")
    forged = ShownPlan(forged.repository, 7, HEAD, honest.fingerprint, forged.packs, forged.shown_at)
    assert _seen(MERGED, [honest, forged], [review(-10)]) == honest


def test_without_approvals_nothing_counts() -> None:
    assert _seen(MERGED, [shown(-30, "a")], []) is None


def test_an_approval_of_an_older_commit_is_none_of_what_was_merged() -> None:
    assert _counting(MERGED, [review(-10, commit=OLDER)]) == (Approval("cyd", "merge", NOON, HEAD),)
    assert _counting(MERGED, [review(-10), review(-8, "bob", OLDER)]) == (review(-10),)


def test_who_merged_without_a_review_stands_for_it() -> None:
    assert _counting(MERGED, []) == (Approval("cyd", "merge", NOON, HEAD),)


def test_words_that_let_go_on_are_lines_of_their_own() -> None:
    text = """\
        Looks right to me.
        sharepack approve 0123456789abcdef
          sharepack   allow   delete:share/x
        `sharepack approve 1111111111111111` is what you would write
        > sharepack approve 2222222222222222
        sharepack approve everything
        sharepack approve
        please sharepack approve 3333333333333333
        sharepack allow approve:4444444444444444"""
    assert set(_words(text)) == {"approve:0123456789abcdef", "delete:share/x", "approve:4444444444444444"}


def test_nobody_lets_go_on_what_is_their_own() -> None:
    words = "sharepack approve 0123456789abcdef"
    said = [Said("rob", words, at(1)), Said("ann", words, at(2)), Said("bob", words, at(3))]
    assert _let_go(MERGED, said) == {"approve:0123456789abcdef": Approval("ann", "words", at(2))}
    assert _let_go(MERGED, said[:1]) == {}
