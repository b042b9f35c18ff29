"""Recipients that are renamed or made anew, and the shares granted to them, in one pack and across packs."""

from dataclasses import replace

import pytest

from reconciler.core.calls import ChangeGrants, DeleteShare, UpdateShare
from reconciler.core.calls import Rename as RenameCall
from reconciler.core.holds import EXISTENCE
from reconciler.core.key import PackId, recipient_key, share_key
from reconciler.core.limits import Limits
from reconciler.core.lowering import lower
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import SharePack
from reconciler.core.plan import Plan
from reconciler.core.recipient import (
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import ObjectType, Share, SharedObject
from reconciler.core.verdict import Create, Drifted, Record, Rename, Replace, Update
from tests.core.carrying import Run
from tests.core.disputes import contesting
from tests.core.model import ModelWorkspace
from tests.core.scenes import EVERYTHING, Scene
from tests.core.worlds import (
    SALES_Q1,
    SALES_Q2,
    WORKSPACE,
    a_pack,
    desired_of,
    recorded_of,
    renamed,
    rules,
    step_of,
    workspace_of,
)

T1 = SharedObject("main.sales.orders", ObjectType.TABLE)
OLD, EVE = Recipient("old", TokenSharing(), comment="x"), Recipient("eve", TokenSharing())
NEW = replace(OLD, name="acme")
K_OLD, K_NEW, K_S = recipient_key("old", WORKSPACE), recipient_key("acme", WORKSPACE), share_key("s", WORKSPACE)
HELD = Share("s", "", frozenset({T1}), frozenset({"old", "eve"}))


def share(*readers: str) -> Share:
    return replace(HELD, recipients=frozenset(readers))


def scene_of(packs: list[SharePack], there: list[Resource], owners: dict[str, PackId] | None = None) -> Run:
    """Ours, all of it, and nothing limited."""
    rows = {key_of(item, WORKSPACE): (item, (owners or {}).get(item.name, packs[0].id)) for item in there}
    scene = Scene(desired_of(*packs), recorded_of(rows), workspace_of(*there), allowed=EVERYTHING)
    return Run(scene, scene.recorded)


def steps(plan: Plan) -> list[str]:
    return [f"{step.key} {type(step.verdict).__name__}" for step in plan.steps]


def finish(run: Run) -> ModelWorkspace:
    """Carried out at once, with nothing left and nothing that was not announced."""
    run.carry_out(run.plan())
    assert run.stale == []
    assert not any(step.is_work for step in run.plan().steps)
    return run.scene.workspace


def readers(workspace: ModelWorkspace) -> frozenset[str]:
    told = workspace.told(K_S)
    assert isinstance(told, Share)
    assert isinstance(told.recipients, frozenset)
    return told.recipients


@pytest.mark.parametrize("is_one_pack", [True, False])
@pytest.mark.parametrize(
    ("wanted", "grants"),
    [
        pytest.param(share("acme", "eve"), [], id="only the name changes"),
        pytest.param(share("acme"), [ChangeGrants(K_S, revoke=("eve",))], id="another reader goes"),
        pytest.param(share("eve"), [ChangeGrants(K_S, revoke=("acme",))], id="the renamed reader goes"),
        pytest.param(share(), [ChangeGrants(K_S, revoke=("acme", "eve"))], id="all go"),
        pytest.param(
            replace(share("acme", "eve"), comment="new"), [UpdateShare(K_S, "new")], id="another field changes"
        ),
    ],
)
def test_a_rename_comes_before_what_is_done_to_its_grants(
    wanted: Share, grants: list[object], is_one_pack: bool
) -> None:
    if is_one_pack:
        packs = [renamed(a_pack(SALES_Q1, NEW, EVE, wanted), K_NEW, "old")]
        owners: dict[str, PackId] = {}
    else:
        packs = [a_pack(SALES_Q1, EVE, wanted), renamed(a_pack(SALES_Q2, NEW), K_NEW, "old")]
        owners = {"old": SALES_Q2}
    run = scene_of(packs, [OLD, EVE, HELD], owners)
    plan = run.plan()
    if not is_one_pack:
        assert {pack.pack: pack.needs for pack in plan.packs} == {
            SALES_Q1: frozenset({SALES_Q2}),
            SALES_Q2: frozenset(),
        }
    workspace = finish(run)
    assert workspace.calls == [RenameCall(K_NEW, "old"), *grants]
    assert readers(workspace) == wanted.recipients
    assert run.recorded.resources[K_S].resource == wanted


def test_what_needs_nothing_still_goes_first() -> None:
    first = Share("first", "", frozenset({T1}), frozenset({"eve"}))
    less = replace(first, recipients=frozenset())
    pack = renamed(a_pack(SALES_Q1, NEW, EVE, share("acme"), less), K_NEW, "old")
    plan = scene_of([pack], [OLD, EVE, HELD, first]).plan()
    assert steps(plan) == [
        "share/first Update",
        "recipient/acme Rename",
        "recipient/eve Keep",
        "share/s Update",
    ]


def test_a_share_that_is_deleted_waits_for_the_names_of_its_readers() -> None:
    pack = renamed(a_pack(SALES_Q1, NEW, EVE), K_NEW, "old")
    run = scene_of([pack], [OLD, EVE, HELD])
    workspace = finish(run)
    assert workspace.calls == [
        RenameCall(K_NEW, "old"),
        ChangeGrants(K_S, revoke=("acme", "eve")),
        DeleteShare(K_S),
    ]


def test_a_share_nobody_else_changes_is_only_recorded_under_the_new_name() -> None:
    run = scene_of([renamed(a_pack(SALES_Q1, NEW, EVE, share("acme", "eve")), K_NEW, "old")], [OLD, EVE, HELD])
    step = step_of(run.plan(), K_S)
    assert isinstance(step.verdict, Record)
    assert isinstance(step_of(run.plan(), K_NEW).verdict, Rename)


OTHERWISE = Recipient("acme", DatabricksSharing("aws:us-west-2:acme"))
THERE: list[Resource] = [NEW, EVE, share("acme", "eve")]


def test_a_recipient_made_anew_is_given_its_grants_again() -> None:
    run = scene_of([a_pack(SALES_Q1, OTHERWISE, EVE, share("acme", "eve"))], list(THERE))
    plan = run.plan()
    replaced, regranted = step_of(plan, K_NEW), step_of(plan, K_S)
    assert isinstance(replaced.verdict, Replace)
    assert isinstance(regranted.verdict, Update)
    assert [operation.call for operation in lower(K_S, regranted.verdict)] == [ChangeGrants(K_S, ("acme",))]
    assert readers(finish(run)) == {"acme", "eve"}


def test_a_share_that_stays_deleted_is_not_made_again_because_its_reader_is_made_anew() -> None:
    mine = share("acme", "eve")
    run = scene_of([a_pack(SALES_Q1, EVE, mine), a_pack(SALES_Q2, OTHERWISE)], list(THERE), {"acme": SALES_Q2})
    del run.scene.workspace.resources[K_S]
    run.scene = replace(run.scene, holds=contesting(K_S, mine, EXISTENCE))
    assert isinstance(step_of(run.plan(), K_NEW).verdict, Replace)
    assert step_of(run.plan(), K_S).verdict == Drifted(None, ())
    assert K_S not in finish(run).resources


def test_a_recipient_made_anew_in_another_pack_comes_before_the_shares_that_lose_it() -> None:
    packs = [a_pack(SALES_Q1, EVE, share("eve")), a_pack(SALES_Q2, OTHERWISE)]
    run = scene_of(packs, list(THERE), {"acme": SALES_Q2})
    plan = run.plan()
    assert next(pack for pack in plan.packs if pack.pack == SALES_Q1).needs == {SALES_Q2}
    assert readers(finish(run)) == {"eve"}


def test_a_replacement_that_is_held_leaves_the_grants_as_they_are() -> None:
    run = scene_of([a_pack(SALES_Q1, OTHERWISE, EVE, share("acme", "eve"))], list(THERE))
    run.scene = replace(run.scene, allowed=frozenset())
    plan = run.plan()
    assert rules(step_of(plan, K_NEW)) == ["recipient-replaced"]
    assert not step_of(plan, K_S).is_change


def test_a_rename_that_is_held_leaves_the_share_as_it_is() -> None:
    """Also when it is held only because of how much goes: then nothing has moved either."""
    alice, bob = (FederationPolicy(name, "https://idp.example", SubjectClaim.SUB, name) for name in ("alice", "bob"))
    old = Recipient("old", OidcSharing(), policies=frozenset({alice, bob}))
    new = replace(old, name="acme", policies=frozenset())
    pack = renamed(a_pack(SALES_Q1, new, EVE, share("acme", "eve")), K_NEW, "old")
    run = scene_of([pack], [old, EVE, HELD])
    run.scene = replace(run.scene, allowed=frozenset(), limits=Limits(percent_per_pack=10))
    plan = run.plan()
    assert rules(step_of(plan, K_NEW)) == ["too-much-at-once"]
    run.carry_out(plan)
    assert run.scene.workspace.calls == []
    assert run.recorded.resources[K_S].resource == HELD


def test_packs_that_rename_what_they_lend_each_other_do_not_wait_for_ever() -> None:
    other, other_new = Recipient("old-bolt", TokenSharing()), Recipient("bolt", TokenSharing())
    mine, theirs = share("old-bolt"), replace(share("old"), name="t")
    packs = [
        renamed(a_pack(SALES_Q1, NEW, replace(mine, recipients=frozenset({"bolt"}))), K_NEW, "old"),
        renamed(
            a_pack(SALES_Q2, other_new, replace(theirs, recipients=frozenset({"acme"}))),
            recipient_key("bolt", WORKSPACE),
            "old-bolt",
        ),
    ]
    run = scene_of(packs, [OLD, other, mine, theirs], {"old-bolt": SALES_Q2, "t": SALES_Q2})
    plan = run.plan()
    assert [pack.needs for pack in plan.packs] == [frozenset(), frozenset()]
    assert rules(step_of(plan, K_S)) == ["recipient-missing"]
    run.carry_out(plan)
    assert run.stale == []
    assert readers(finish(run)) == {"bolt"}


def test_recipients_that_drifted_away_and_are_not_made_again_hold_what_would_be_granted_to_them() -> None:
    pack = a_pack(SALES_Q1, NEW, share("acme"))
    run = scene_of([pack], [NEW, share()])
    assert step_of(run.plan(), K_S).is_work
    del run.scene.workspace.resources[K_NEW]
    assert isinstance(step_of(run.plan(), K_NEW).verdict, Create)
    assert step_of(run.plan(), K_S).is_work


def test_a_removed_reader_is_revoked_before_it_is_deleted() -> None:
    run = scene_of([a_pack(SALES_Q1, EVE, share("eve"))], list(THERE))
    assert [str(step.key) for step in run.plan().steps] == ["share/s", "recipient/eve", "recipient/acme"]
    workspace = finish(run)
    assert [type(call).__name__ for call in workspace.calls] == ["ChangeGrants", "DeleteRecipient"]


def test_what_is_not_managed_on_a_share_is_not_touched_by_a_rename() -> None:
    loose = Share("s", comment="x", recipients=UNMANAGED)
    pack = renamed(a_pack(SALES_Q1, NEW, EVE, loose), K_NEW, "old")
    run = scene_of([pack], [OLD, EVE, replace(HELD, comment="x")])
    assert isinstance(step_of(run.plan(), K_S).verdict, Record)
    assert [type(call).__name__ for call in finish(run).calls] == ["Rename"]
