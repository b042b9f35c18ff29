"""What a daemon does by itself, as a table, and over any three states."""

from collections.abc import Mapping
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reconciler.core.changes import Cause
from reconciler.core.guard import Attestation
from reconciler.core.holds import Holds
from reconciler.core.key import PackId
from reconciler.core.plan import PackPlan, Plan
from reconciler.core.policy import A_MOMENT, Decision, Leave, Nothing, Standing, Submit, Why, basis_of, decide
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import PackStatus
from reconciler.core.retry import PROBE_AFTER, Failure
from reconciler.core.verdict import Create, Update
from tests.core.carrying import Run
from tests.core.disputes import a_suspension, contesting, disputed_scenes, suspended_scenes
from tests.core.scenes import Scene, scenes
from tests.core.test_holds import KEY, PARTNER, PARTNER_KEY, SHARE
from tests.core.test_properties import often
from tests.core.worlds import (
    SALES_Q1,
    SALES_Q2,
    a_pack,
    desired_of,
    found,
    only,
    planned,
    recorded_of,
)

REWOUND, NOT_REWOUND = frozenset({SALES_Q1}), frozenset[PackId]()
OLD = A_MOMENT + 1


def plan(wanted: object = SHARE, there: object = SHARE, *, holds: Holds | None = None, **row: object) -> Plan:
    """Of a pack that is on record with SHARE and COMPLETED, and that wants `wanted`."""
    resources = [each for each in (PARTNER, wanted) if each is not None]
    pack = a_pack(SALES_Q1, *resources)  # type: ignore[arg-type]
    recorded = recorded_of({PARTNER_KEY: (PARTNER, SALES_Q1), KEY: (SHARE, SALES_Q1)})
    if wanted is not SHARE or row:
        recorded = replace(recorded, packs={SALES_Q1: replace(recorded.packs[SALES_Q1], **row)})  # type: ignore[arg-type]
    present = [each for each in (PARTNER, there) if each is not None]
    attested = {SALES_Q1: Attestation(removed=frozenset({KEY}))}
    made = planned(
        desired_of(pack),
        recorded,
        found(*present),  # type: ignore[arg-type]
        holds=holds or Holds(),
        attestations=attested,
    )
    # The rows of the pack itself are as they should be, unless a test says otherwise.
    return replace(made, packs=tuple(replace(each, rows_behind=bool(row)) for each in made.packs))


DRIFTED = replace(SHARE, comment="by hand")
CHANGED = replace(SHARE, comment="by the file")
SUSPENDED = Holds({SALES_Q1: a_suspension()})
NOTHING = plan()
DRIFT = plan(there=DRIFTED)
FILE = plan(CHANGED)
BOTH = plan(CHANGED, DRIFTED)
DELETED_BY_HAND = plan(there=None)
REMOVED = plan(None)
HELD = plan(there=DRIFTED, holds=SUSPENDED)
ROWS = plan(SHARE, status=PackStatus.IN_PROGRESS)
CONTESTED = plan(there=DRIFTED, holds=contesting(KEY, SHARE, "comment"))


def ended(of: Plan, failure: Failure = Failure.NONE, age: float = OLD, *, needs_attention: bool = False) -> Standing:
    pack = only(of)
    return Standing(True, pack.fingerprint, basis_of(pack), failure, needs_attention, age)


def under_way(of: Plan) -> Standing:
    return replace(ended(of), is_finished=False, age=0.0)


def decided(of: Plan, standing: Standing | None = None, rewound: frozenset[PackId] = NOT_REWOUND) -> Decision:
    standings: Mapping[PackId, Standing] = {} if standing is None else {SALES_Q1: standing}
    return decide(of, standings, rewound)[SALES_Q1]


REFUSED, ATTENTION = Leave(Why.REFUSED), Leave(Why.NEEDS_ATTENTION)


@pytest.mark.parametrize(
    ("of", "standing", "decision"),
    [
        (NOTHING, None, Nothing()),
        (NOTHING, ended(FILE, Failure.REFUSED), Nothing()),
        (CONTESTED, None, Nothing()),
        (DRIFT, None, Submit()),
        (FILE, None, Submit()),
        (ROWS, None, Submit()),
        (HELD, None, Submit()),
        # Held is recorded once, and again when something else is held, or is there.
        (HELD, ended(HELD), Leave(Why.HELD)),
        (HELD, ended(DRIFT), Submit()),
        (HELD, ended(plan(there=replace(SHARE, comment="other"), holds=SUSPENDED)), Submit()),
        # What was refused is refused again.
        (FILE, ended(FILE, Failure.REFUSED), REFUSED),
        (FILE, ended(FILE, Failure.REFUSED, 10**9), REFUSED),
        (BOTH, ended(FILE, Failure.REFUSED), Submit()),
        (FILE, ended(DRIFT, Failure.REFUSED), Submit()),
        (DRIFT, ended(HELD, Failure.REFUSED), Submit()),
        # What nobody understands is tried once an hour.
        (FILE, ended(FILE, Failure.UNKNOWN, PROBE_AFTER - 1, needs_attention=True), ATTENTION),
        (FILE, ended(FILE, Failure.UNKNOWN, PROBE_AFTER, needs_attention=True), Submit()),
        (BOTH, ended(FILE, Failure.UNKNOWN, PROBE_AFTER - 1, needs_attention=True), Submit()),
        (FILE, ended(FILE, Failure.UNKNOWN), Submit()),
        # What was done a moment ago is given time to show.
        (FILE, ended(FILE, age=A_MOMENT - 1), Leave(Why.JUST_APPLIED)),
        (FILE, ended(FILE), Submit()),
        (BOTH, ended(DRIFT, age=0.0), Submit()),
        # What is being done is let be, also half done; another wish takes its place.
        (FILE, under_way(FILE), Leave(Why.UNDER_WAY)),
        (FILE, under_way(BOTH), Leave(Why.UNDER_WAY)),
        (DRIFT, under_way(BOTH), Submit()),
        (HELD, under_way(DRIFT), Submit()),
        (ROWS, under_way(DRIFT), Leave(Why.UNDER_WAY)),
    ],
)
def test_what_a_daemon_does_by_itself(of: Plan, standing: Standing | None, decision: Decision) -> None:
    assert decided(of, standing) == decision


@pytest.mark.parametrize(
    ("of", "decision"),
    [
        (NOTHING, Nothing()),
        (CONTESTED, Nothing()),
        (DRIFT, Submit()),
        (DELETED_BY_HAND, Submit()),
        (FILE, Leave(Why.REWOUND)),
        (BOTH, Leave(Why.REWOUND)),
        (REMOVED, Leave(Why.REWOUND)),
        (ROWS, Leave(Why.REWOUND)),
        # The older commit does not protect it yet.
        (plan(replace(SHARE, protect=True), DRIFTED), Leave(Why.REWOUND)),
    ],
)
def test_a_rewound_pack_only_gets_put_back_what_was_changed_by_hand(of: Plan, decision: Decision) -> None:
    assert decided(of, None, REWOUND) == decision
    assert not isinstance(decided(of), Leave)


def test_only_the_pack_that_was_rewound_is_held_back() -> None:
    assert decided(FILE, None, frozenset({SALES_Q2})) == Submit()


#: The second pack grants to a recipient that the first one makes.
LENT = Recipient("core", TokenSharing())
BORROWING = replace(SHARE, name="second", recipients=frozenset({"core"}))


def lending() -> Plan:
    return planned(desired_of(a_pack(SALES_Q1, LENT), a_pack(SALES_Q2, BORROWING)))


def pack_of(of: Plan, pack: PackId) -> PackPlan:
    return next(each for each in of.packs if each.pack == pack)


class TestPacksThatNeedOthers:
    def test_they_wait_for_one_that_is_stuck(self) -> None:
        of = lending()
        first = pack_of(of, SALES_Q1)
        stuck = Standing(True, first.fingerprint, basis_of(first), Failure.REFUSED, age=OLD)
        assert decide(of, {SALES_Q1: stuck}, NOT_REWOUND) == {SALES_Q1: REFUSED, SALES_Q2: Leave(Why.BLOCKED)}

    def test_they_go_along_with_one_that_is_not(self) -> None:
        of = lending()
        first = pack_of(of, SALES_Q1)
        on_its_way = Standing(False, first.fingerprint, basis_of(first))
        assert decide(of, {}, NOT_REWOUND) == {SALES_Q1: Submit(), SALES_Q2: Submit()}
        assert decide(of, {SALES_Q1: on_its_way}, NOT_REWOUND)[SALES_Q2] == Submit()

    def test_what_was_refused_for_want_of_another_is_tried_once_that_is_there(self) -> None:
        of = lending()
        second = pack_of(of, SALES_Q2)
        refused = {SALES_Q2: Standing(True, second.fingerprint, basis_of(second), Failure.REFUSED, age=OLD)}
        assert decide(of, refused, NOT_REWOUND)[SALES_Q2] == REFUSED
        first = a_pack(SALES_Q1, LENT)
        rows = recorded_of({replace(PARTNER_KEY, name="core"): (LENT, SALES_Q1)})
        later = planned(desired_of(first, a_pack(SALES_Q2, BORROWING)), rows, found(LENT))
        assert decide(later, refused, NOT_REWOUND)[SALES_Q2] == Submit()


FAILURES = st.sampled_from(list(Failure))


@st.composite
def plans(draw: st.DrawFn) -> Plan:
    scene: Scene = draw(st.one_of(scenes(), disputed_scenes(), suspended_scenes(revocations_too=draw(st.booleans()))))
    return Run(scene, scene.recorded).plan()


@often
@given(plans(), FAILURES, st.floats(0, 10**5), st.booleans())
def test_on_the_same_basis_nothing_that_was_refused_is_submitted(
    of: Plan, failure: Failure, age: float, is_puzzling: bool
) -> None:
    standings = {
        pack.pack: Standing(True, pack.fingerprint, basis_of(pack), failure, is_puzzling, age) for pack in of.packs
    }
    for pack, decision in decide(of, standings, NOT_REWOUND).items():
        if failure is Failure.REFUSED and not (is_puzzling and age >= PROBE_AFTER):
            assert decision != Submit()
        if is_puzzling and age < PROBE_AFTER:
            assert decision != Submit()
        if pack_of(of, pack).is_held and not pack_of(of, pack).is_work:
            assert isinstance(decision, Leave) or is_puzzling


@often
@given(plans(), FAILURES, st.booleans())
def test_on_another_basis_everything_is_submitted(of: Plan, failure: Failure, is_puzzling: bool) -> None:
    standings = {pack.pack: Standing(True, "another", "another", failure, is_puzzling, OLD) for pack in of.packs}
    for pack, decision in decide(of, standings, NOT_REWOUND).items():
        plan_of = pack_of(of, pack)
        has_something = plan_of.is_work or plan_of.is_held or plan_of.rows_behind
        assert decision == (Submit() if has_something else Nothing())


@often
@given(plans())
def test_a_rewound_branch_changes_nothing_but_drift(of: Plan) -> None:
    for pack, decision in decide(of, {}, frozenset({SALES_Q1, SALES_Q2})).items():
        if isinstance(decision, Submit):
            for step in pack_of(of, pack).steps:
                assert not step.is_work or (
                    isinstance(step.verdict, Update | Create) and step.verdict.cause is Cause.DRIFT
                )


@often
@given(plans())
def test_work_that_is_under_way_is_never_submitted_again(of: Plan) -> None:
    standings = {pack.pack: Standing(False, pack.fingerprint, basis_of(pack)) for pack in of.packs}
    for decision in decide(of, standings, NOT_REWOUND).values():
        assert decision in {Nothing(), Leave(Why.UNDER_WAY)}


@often
@given(disputed_scenes(free=True), st.integers(1, 6))
def test_half_done_work_is_not_taken_for_new_work(scene: Scene, calls: int) -> None:
    """Unless what stands against its steps has changed on the way."""
    run = Run(scene, scene.recorded, calls)
    before = run.plan()
    run.carry_out(before)
    run.calls_left = None
    after = run.plan()
    for pack in before.packs:
        later = pack_of(after, pack.pack)
        if _standing_against(later) != _standing_against(pack):
            continue
        standing = Standing(False, pack.fingerprint, basis_of(pack))
        decision = decide(replace(after, packs=(later,)), {pack.pack: standing}, NOT_REWOUND)[pack.pack]
        assert decision in {Nothing(), Leave(Why.UNDER_WAY)}


def _standing_against(pack: PackPlan) -> list[tuple[str, list[str], list[str]]]:
    return sorted(
        (str(step.key), sorted(each.rule for each in step.objections), sorted(each.field for each in step.contests))
        for step in pack.steps
        if step.objections or step.contests
    )
