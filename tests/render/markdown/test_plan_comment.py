"""The comment with a plan, as GitHub would show it: whole where it matters, and never more than a comment holds."""

from dataclasses import replace

import pytest

from reconciler.core.plan import Plan
from reconciler.core.problem import Problem, Severity, Where
from reconciler.core.proposal import Proposal
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from reconciler.render.markdown import (
    LIMIT,
    PLAN_MARKER,
    drift_issue,
    labels,
    plan_comment,
    plan_markdown,
    problems_comment,
    status_words,
)
from reconciler.render.markdown.escape import length
from tests.render.golden_files import the_text_is_as_committed
from tests.render.markdown.attacks import ATTACKS
from tests.render.markdown.proposals import ARTEFACT, BASE, EARLIER, hostile, proposals
from tests.render.markdown.rendered import nothing_is_smuggled, read, seen
from tests.render.plans import PARTNER, SALES, Scene, plan_of, table
from tests.render.scenes import scenes

PROPOSALS = proposals()
SCENES = scenes()


@pytest.mark.parametrize("name", PROPOSALS)
def test_the_comment_is_as_committed(name: str) -> None:
    comment = plan_comment(PROPOSALS[name], artefact_url=ARTEFACT, earlier=EARLIER)
    the_text_is_as_committed(f"markdown/{name}.md", comment.body)


@pytest.mark.parametrize("name", PROPOSALS)
def test_nothing_is_smuggled_into_a_comment(name: str) -> None:
    comment = plan_comment(PROPOSALS[name], artefact_url=ARTEFACT, earlier=EARLIER, limit=10**9)
    assert comment.is_whole
    nothing_is_smuggled(comment.body, (ARTEFACT,))
    nothing_is_smuggled(plan_comment(PROPOSALS[name], artefact_url=ARTEFACT).body, (ARTEFACT,))


def test_nothing_is_smuggled_whatever_a_plan_is_made_of() -> None:
    some = hostile(ATTACKS[::3])
    comment = plan_comment(some, limit=10**9)
    assert comment.is_whole
    nothing_is_smuggled(comment.body)
    nothing_is_smuggled(plan_markdown(some.plan))
    cut = plan_comment(hostile())
    assert length(cut.body) <= LIMIT
    nothing_is_smuggled(cut.body)


@pytest.mark.parametrize("name", SCENES)
def test_every_kept_plan_fits_whole(name: str) -> None:
    comment = plan_comment(Proposal(SCENES[name], BASE))
    assert (comment.is_whole, comment.fits) == (True, True)
    assert comment.body.startswith(f"{PLAN_MARKER}\n")
    assert SCENES[name].fingerprint
    nothing_is_smuggled(comment.body)


@pytest.mark.parametrize("name", SCENES)
def test_a_plan_as_markdown_has_no_marker_and_no_limit(name: str) -> None:
    text = plan_markdown(SCENES[name])
    assert "<!--" not in text
    assert SCENES[name].fingerprint in seen(text)
    nothing_is_smuggled(text)


def test_the_access_changes_come_first_and_in_plain_words() -> None:
    text = seen(plan_comment(PROPOSALS["access"]).body)
    who = "partner-x (D2O, outside, data@partner-x.example, from any address)"
    assert f"{who} will be able to read 3 more tables: prod.sales.customers" in text
    assert "auditor (D2O, outside, audit@firm.example, from 1 address range) loses 2 tables: " in text
    order = ["Who gains and loses access", "partner-x", "Severity", "What each pack does"]
    assert sorted(order, key=text.index) == order


def test_whoever_approves_sees_who_gains_access_once_what_is_held_is_let_go() -> None:
    text = seen(plan_comment(PROPOSALS["held_grant"]).body)
    _, _, once = text.partition("And once what is held is allowed by name")
    assert "sales-analyst" in once.partition("Severity")[0]
    assert "Who gains and loses access" not in text
    assert "sharepack allow whole-schema:share/sales_share/sales-analyst" in text


def test_the_proposals_own_commit_and_fingerprint_are_named() -> None:
    proposal = replace(PROPOSALS["access"], head="9" * 40)
    text = seen(plan_comment(proposal, earlier=EARLIER).body)
    assert f"Plan {proposal.fingerprint[:16]} of commit {'9' * 12}, against {BASE[:12]}." in text
    assert f"Fingerprint {proposal.fingerprint}" in text
    assert "1 other pack left as it is." in text
    assert "moved from sharepacks/sales/old name.yaml" in text


def test_superseded_plans_are_struck() -> None:
    found = read(plan_comment(PROPOSALS["nothing"], earlier=EARLIER).body)
    assert "del" in found.tags
    text = "".join(found.all)
    assert text.index(f"plan {'cd' * 8} for commit {'2' * 12}") < text.index(f"plan {'ab' * 8} for commit {'1' * 12}")


def big(packs: int, readers: int = 1) -> Plan:
    """Each pack lets recipients of its own read a table and tells it at length."""
    return plan_of(*(_pack(number, readers) for number in range(packs)))


def _pack(number: int, readers: int) -> Scene:
    name = f"p{number:03}"
    recipients = [
        Recipient(f"partner-{name}-{each}", TokenSharing(), f"{name}-{each}@partner.example", comment="words " * 50)
        for each in range(readers)
    ]
    items = frozenset({table(f"prod.{name}.orders"), table(f"prod.{name}.customers")})
    share = Share(f"share_{name}", "about " * 50, items, frozenset(each.name for each in recipients))
    return Scene([*recipients, share], path=f"sharepacks/line/{name}.yaml", project=f"Project {number}")


def test_three_hundred_changed_packs_fit_with_all_who_gain_access() -> None:
    comment = plan_comment(Proposal(big(300), BASE), artefact_url=ARTEFACT)
    assert (comment.fits, comment.is_whole) == (True, False)
    assert LIMIT - 2_000 < length(comment.body) <= LIMIT
    text = seen(comment.body)
    for number in range(300):
        assert f"partner-p{number:03}-0" in text
        assert f"prod.p{number:03}.customers" in text
    assert "packs left out here, for a comment holds no more: see the whole plan" in text
    nothing_is_smuggled(comment.body, (ARTEFACT,))


def test_a_dangerous_part_that_does_not_fit_is_said_and_counted() -> None:
    proposal = Proposal(big(150, readers=3), BASE)
    comment = plan_comment(proposal, artefact_url=ARTEFACT, earlier=EARLIER)
    assert (comment.fits, comment.is_whole) == (False, False)
    assert length(comment.body) <= LIMIT
    text = seen(comment.body)
    assert "This plan cannot be shown here, so this check fails." in text
    assert "900 objects gained, 0 lost" in text
    assert "150 widens access" in text
    assert "partner-p000-0 gains 2 tables" in text
    assert proposal.fingerprint in text
    nothing_is_smuggled(comment.body, (ARTEFACT,))


def test_a_comment_of_two_hundred_kilobytes_is_shown_by_its_beginning() -> None:
    wordy = replace(SALES, comment="`@team <b>|" * 20_000)
    comment = plan_comment(Proposal(plan_of(Scene([PARTNER, wordy], [PARTNER, SALES], [PARTNER, SALES])), BASE))
    assert (comment.fits, comment.is_whole) == (True, True)
    assert length(comment.body) < 5_000
    assert "(+219,800 characters)" in seen(comment.body)
    nothing_is_smuggled(comment.body)


def test_a_filter_of_rows_is_never_cut() -> None:
    def shared(*countries: str) -> Share:
        conditions = frozenset(frozenset({Condition("region", value=each)}) for each in countries)
        item = SharedObject("prod.sales.orders", ObjectType.TABLE, partitions=conditions)
        return Share("s", "", frozenset({item}), frozenset({"sales-analyst"}))

    many = [f"country number {number}" for number in range(100)]
    before, after = shared(*many), shared(*many, "zz, the one that matters")
    plan = plan_of(Scene([PARTNER, after], [PARTNER, before], [PARTNER, before]))
    text = seen(plan_comment(Proposal(plan, BASE)).body)
    assert "zz, the one that matters" in " ".join(text.replace("\n!", "").split())
    assert all(f"country number {number}'" in " ".join(text.replace("\n!", "").split()) for number in range(100))
    assert max(map(len, text.partition("What each pack does")[0].splitlines())) < 200
    cut = plan_comment(Proposal(plan, BASE), limit=6_000)
    assert (cut.fits, length(cut.body) <= 6_000) == (False, True)


@pytest.mark.parametrize("limit", range(1_500, 9_000, 250))
def test_no_limit_is_passed_and_every_cut_is_told(limit: int) -> None:
    proposal = Proposal(big(12), BASE, workbooks=PROPOSALS["workbook"].workbooks)
    comment = plan_comment(proposal, limit=limit, earlier=EARLIER)
    assert length(comment.body) <= limit
    said = "left out here" if comment.fits else "cannot be shown here"
    assert (said in comment.body) == (not comment.is_whole)
    if comment.fits:
        assert all(f"prod.p{number:03}.customers" in comment.body for number in range(12))
    nothing_is_smuggled(comment.body)


def test_characters_beyond_the_first_plane_count_twice() -> None:
    proposal = Proposal(plan_of(Scene([Recipient("x" * 9, TokenSharing(), comment="\U0001f600" * 199)])), BASE)
    whole = length(plan_comment(proposal).body)
    assert plan_comment(proposal, limit=whole).is_whole
    assert not plan_comment(proposal, limit=whole - 1).is_whole


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("new", {"widens access"}),
        ("changed", {"narrows access", "widens access", "drift"}),
        ("objected", {"held"}),
        ("removed", {"revokes all"}),
        ("nothing", {"problems"}),
        ("every_change", {"breaks the consumer", "widens access"}),
    ],
)
def test_labels_say_how_bad_it_is(name: str, expected: set[str]) -> None:
    assert labels(PROPOSALS[name].plan) == {f"sharepack: {each}" for each in expected}


def test_a_plan_without_changes_is_labelled_so() -> None:
    assert labels(plan_of(Scene([SALES], [SALES], [SALES]))) == {"sharepack: no change"}


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("access", "2 gain access, 1 loses access"),
        ("objected", "no change, 2 held"),
        ("nothing", "no change"),
        ("names_and_kinds", "3 resources changed, revokes all"),
    ],
)
def test_a_status_says_it_in_a_line(name: str, expected: str) -> None:
    assert status_words(PROPOSALS[name]) == f"{expected}; plan {PROPOSALS[name].fingerprint[:12]}"


def test_no_status_is_longer_than_github_takes() -> None:
    assert all(len(status_words(each)) <= 140 for each in PROPOSALS.values())


def problems(count: int) -> list[Problem]:
    return [
        Problem(Where(f"sharepacks/p{each}.yaml", 3, 1), "key-missing", "recipient has no name")
        for each in range(count)
    ]


def test_problems_without_a_plan_are_listed_at_their_places() -> None:
    warned = Problem(Where("a.xlsx", sheet="Shares", cell="B2"), "odd", "looks odd", "look at it", Severity.WARNING)
    body = problems_comment([warned, *problems(2)])
    the_text_is_as_committed("markdown/problems.md", body)
    assert body.startswith(f"{PLAN_MARKER}\n")
    nothing_is_smuggled(body)
    assert "The files of this pull request are valid." in seen(problems_comment([warned]))


def test_thousands_of_problems_are_cut_visibly() -> None:
    body = problems_comment(problems(5_000))
    assert length(body) <= LIMIT
    assert "more problems left out here" in seen(body)
    assert "5,000 problems in 5,000 files." in seen(body)


def test_problems_say_nothing_but_text() -> None:
    texts = [text[:99] for text in ATTACKS]
    found = [Problem(Where(text, 1, 2, text, text), text, text, text) for text in texts]
    nothing_is_smuggled(problems_comment(found))


@pytest.mark.parametrize("name", ["drifted", "changed", "reported", "contested"])
def test_the_issue_tells_the_drift_and_nothing_else(name: str) -> None:
    found = drift_issue(SCENES[name])
    assert found is not None
    title, body = found
    the_text_is_as_committed(f"markdown/drift_{name}.md", f"{title}\n\n{body}")
    nothing_is_smuggled(body)
    assert "emea-lake (" not in seen(body)


def test_there_is_no_issue_without_drift() -> None:
    assert drift_issue(SCENES["new"]) is None
    assert drift_issue(PROPOSALS["nothing"].plan) is None
