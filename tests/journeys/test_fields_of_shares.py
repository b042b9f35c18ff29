"""Every field of a share, created, changed, cleared, left alone and removed, and each changed by hand: the workspace
says what the pack says, a second plan is empty, and what drifted is one step."""

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import pytest_asyncio
from databricks.sdk.service.sharing import (
    AuthenticationType,
    PermissionsChange,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectUpdate,
)

from reconciler.core.changes import Cause
from reconciler.core.key import share_key
from reconciler.core.share import Share
from reconciler.core.verdict import Record, Rename
from tests.journeys.fields import (
    ADD,
    REMOVE,
    SEED,
    Entry,
    assert_nothing_to_do,
    cause,
    differences,
    open_steps,
    pack,
    told,
)
from tests.journeys.journey import Journey

ORDERS, REFUNDS, RETURNS = "main.sales.orders", "main.sales.refunds", "main.sales.returns"
READERS: Final = ("ann", "ben", "cy")
RECIPIENTS: Final = [{"name": name, "type": "D2O", "email": f"{name}@example.com"} for name in READERS]


@dataclass(frozen=True, slots=True)
class ShareCase:
    first: Entry
    second: Entry
    by_hand: Callable[[Any, str], object]
    #: Of what somebody did by hand: a value, or things that have gone and come.
    drift: tuple[str, ...]
    cleared: Entry | None = None


def _objects(sdk: Any, share: str) -> None:
    """One goes, another comes."""
    updates = [
        SharedDataObjectUpdate(action, SharedDataObject(name, data_object_type=SharedDataObjectDataObjectType.TABLE))
        for action, name in ((REMOVE, ORDERS), (ADD, RETURNS))
    ]
    sdk.shares.update(share, updates=updates)


def _readers(sdk: Any, share: str) -> None:
    changes = [PermissionsChange(principal="ann", remove=["SELECT"]), PermissionsChange(principal="cy", add=["SELECT"])]
    sdk.shares.update_permissions(share, changes=changes)


CASES: Final[Mapping[str, ShareCase]] = {
    "comment": ShareCase(
        {"comment": "one"},
        {"comment": "two"},
        lambda sdk, share: sdk.shares.update(share, comment="by hand"),
        ("comment = one",),
        {"comment": ""},
    ),
    "owner": ShareCase(
        {"owner": "sharing-team"},
        {"owner": "sharing-desk"},
        lambda sdk, share: sdk.shares.update(share, owner="sharepack@sandbox.example"),
        ("owner = sharing-team",),
    ),
    "storage-root": ShareCase(
        {"storage_root": "abfss://one@account.dfs.core.windows.net/notebooks"},
        {"storage_root": "abfss://two@account.dfs.core.windows.net/notebooks"},
        lambda sdk, share: sdk.shares.update(share, storage_root="abfss://hand@account.dfs.core.windows.net/x"),
        ("storage_root = abfss://one@account.dfs.core.windows.net/notebooks",),
    ),
    "data-objects": ShareCase(
        {"data_objects": [ORDERS]},
        {"data_objects": [REFUNDS, RETURNS]},
        _objects,
        (f"objects + {ORDERS}", f"objects - {RETURNS}"),
        {"data_objects": []},
    ),
    "recipients": ShareCase(
        {"recipients": ["ann", "ben"]},
        {"recipients": ["ben", "cy"]},
        _readers,
        ("recipients + ann", "recipients - cy"),
        {"recipients": []},
    ),
}
FIRST: Final = {name: case.first for name, case in CASES.items()}
SECOND: Final = {name: case.second for name, case in CASES.items()}
CLEARED: Final = {name: case.second if case.cleared is None else case.cleared for name, case in CASES.items()}
SILENT: Final[Mapping[str, Entry]] = {name: {} for name in CASES}


@pytest_asyncio.fixture
async def stocked(journey: Journey) -> AsyncIterator[Journey]:
    journey.control.seed(SEED)
    await converge(journey, FIRST)
    yield journey


def text(shares: Mapping[str, Entry], **more: object) -> str:
    return pack("Shares", recipient=RECIPIENTS, share=[{"name": name, **said} for name, said in shares.items()], **more)


async def converge(journey: Journey, shares: Mapping[str, Entry], **more: object) -> None:
    journey.save("shares.yaml", text(shares, **more))
    await journey.converge()
    assert_nothing_to_do(await journey.plan())


def said(sdk: Any, name: str) -> Entry:
    share = sdk.shares.get(name, include_shared_data=True)
    granted = sdk.shares.share_permissions(name).privilege_assignments or ()
    return {
        "comment": share.comment or "",
        "owner": share.owner,
        "storage_root": share.storage_root,
        "data_objects": sorted(item.name for item in share.objects or ()),
        "recipients": sorted(grant.principal for grant in granted),
    }


def assert_said(sdk: Any, shares: Mapping[str, Entry]) -> None:
    assert {name: lines for name, entry in shares.items() if (lines := differences(entry, said(sdk, name)))} == {}


async def test_each_field_is_made_changed_cleared_left_alone_and_removed(stocked: Journey, sdk: Any) -> None:
    assert_said(sdk, FIRST)
    stocked.save("shares.yaml", text(SECOND))
    planned = open_steps(await stocked.plan())
    assert {name: cause(step) for name, step in planned.items()} == dict.fromkeys(CASES, Cause.FILE)
    await converge(stocked, SECOND)
    assert_said(sdk, SECOND)
    await converge(stocked, CLEARED)
    assert_said(sdk, CLEARED)

    stocked.save("shares.yaml", text(SILENT))
    assert {type(step.verdict) for step in open_steps(await stocked.plan()).values()} == {Record}
    stocked.control.clear_log()
    await converge(stocked, SILENT)
    assert stocked.writes() == []
    assert_said(sdk, CLEARED)
    sdk.shares.update("comment", comment="somebody's")
    sdk.shares.update("owner", owner="sharepack@sandbox.example")
    sdk.shares.update("storage-root", storage_root="abfss://hand@account.dfs.core.windows.net/x")
    sdk.shares.update_permissions("recipients", changes=[PermissionsChange(principal="ann", add=["SELECT"])])
    table = SharedDataObject(ORDERS, data_object_type=SharedDataObjectDataObjectType.TABLE)
    sdk.shares.update("data-objects", updates=[SharedDataObjectUpdate(ADD, table)])
    assert_nothing_to_do(await stocked.plan())

    await converge(stocked, {})
    assert list(sdk.shares.list_shares()) == []


async def test_each_field_changed_by_hand_is_one_step_and_comes_back(stocked: Journey, sdk: Any) -> None:
    for name, case in CASES.items():
        case.by_hand(sdk, name)
        assert differences(case.first, said(sdk, name)), name
        planned = open_steps(await stocked.plan())
        assert planned.keys() == {name}
        assert cause(planned[name]) is Cause.DRIFT
        assert told(planned[name]) == sorted(case.drift)
        await stocked.converge()
        assert_said(sdk, FIRST)
        assert_nothing_to_do(await stocked.plan())


async def test_protection_is_only_in_the_record_and_is_lifted_in_a_commit_of_its_own(
    stocked: Journey, sdk: Any
) -> None:
    stocked.control.clear_log()
    await converge(stocked, {**FIRST, "comment": {"comment": "one", "protect": True}})
    assert stocked.writes() == []
    without = {name: entry for name, entry in FIRST.items() if name != "comment"}
    stocked.save("shares.yaml", text(without))
    (held,) = [step for step in (await stocked.plan()).steps if step.is_held]
    assert [objection.rule for objection in held.objections] == ["protected"]
    await stocked.apply()
    assert said(sdk, "comment")["comment"] == "one"
    await converge(stocked, {**FIRST, "comment": {"comment": "one", "protect": False}})
    await converge(stocked, without)
    assert "comment" not in {share.name for share in sdk.shares.list_shares()}


async def test_a_renamed_share_keeps_its_readers_and_changes_in_the_same_go(stocked: Journey, sdk: Any) -> None:
    made_at = sdk.shares.get("recipients").created_at
    shares = {name: entry for name, entry in FIRST.items() if name != "recipients"}
    shares["readers"] = {"recipients": ["ben"], "comment": "renamed", "renamed_from": "recipients"}
    stocked.save("shares.yaml", text(shares))
    ((name, step),) = open_steps(await stocked.plan()).items()
    assert (name, type(step.verdict)) == ("readers", Rename)
    stocked.control.clear_log()
    await converge(stocked, shares)
    assert [(method, path) for method, path, _ in stocked.writes()] == [
        ("PATCH", "/shares/recipients"),
        ("PATCH", "/shares/readers"),
        ("PATCH", "/shares/readers/permissions"),
    ]
    assert sdk.shares.get("readers").created_at == made_at
    assert said(sdk, "readers")["recipients"] == ["ben"]
    # What was done need not stay in the file.
    await converge(stocked, {**shares, "readers": {"recipients": ["ben"], "comment": "renamed"}})


async def test_a_share_that_exists_is_adopted_with_what_it_says_and_nothing_else(stocked: Journey, sdk: Any) -> None:
    sdk.shares.create("theirs", comment="theirs")
    sdk.recipients.create("dora", AuthenticationType.TOKEN)
    sdk.shares.update_permissions("theirs", changes=[PermissionsChange(principal="dora", add=["SELECT"])])
    ours = {**FIRST, "theirs": {"comment": "ours"}}
    stocked.save("shares.yaml", text(ours))
    (held,) = [step for step in (await stocked.plan()).steps if step.is_held]
    assert held.key.name == "theirs"
    await converge(stocked, {**FIRST, "theirs": {"comment": "ours", "adopt": True}})
    assert differences({"comment": "ours", "recipients": ["dora"]}, said(sdk, "theirs")) == []
    # Once it is ours, `adopt` need not stay in the file.
    await converge(stocked, ours)
    recorded = (await stocked.ledger.history(share_key("theirs", "")))[-1].resource
    assert isinstance(recorded, Share)
    assert recorded.comment == "ours"


async def test_a_whole_schema_goes_to_an_outsider_only_by_name_and_is_not_asked_about_again(
    stocked: Journey, sdk: Any
) -> None:
    shares = {**FIRST, "whole": {"recipients": ["ann"], "data_objects": ["main.whole"]}}
    stocked.save("shares.yaml", text(shares))
    (held,) = [step for step in (await stocked.plan()).steps if step.is_held]
    assert [objection.lift for objection in held.objections] == ["whole-schema:share/whole/ann"]
    stocked.allow("whole-schema:share/whole/ann")
    await stocked.converge()
    stocked.allow()
    assert_nothing_to_do(await stocked.plan())
    assert said(sdk, "whole")["recipients"] == ["ann"]
    sdk.shares.update("whole", comment="nobody's")
    await converge(stocked, {**shares, "whole": {**shares["whole"], "comment": "ours"}})
    await converge(stocked, FIRST)
