"""Every field of every type of object, created, changed, cleared, left alone and removed: the workspace says what the
pack says, and a second plan is empty. The inverse: each field changed by hand is one step, and comes back."""

import base64
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any

import pytest_asyncio
from databricks.sdk.service.sharing import SharedDataObjectUpdate

from reconciler.core.changes import Cause
from reconciler.core.plan import Step
from reconciler.core.verdict import Record, Update
from tests.journeys.fields import (
    NOTEBOOKS,
    OBJECT_CASES,
    SAID_ONLY,
    SEED,
    SOURCES,
    UPDATE,
    Case,
    Entry,
    assert_nothing_to_do,
    cause,
    change_object_by_hand,
    differences,
    open_steps,
    pack,
    sdk_object,
    shared_objects,
)
from tests.journeys.journey import Journey


@pytest_asyncio.fixture
async def stocked(journey: Journey) -> AsyncIterator[Journey]:
    """Each case's object in a share of its own, with the first value of its field."""
    journey.control.seed(SEED)
    for path, content in NOTEBOOKS.items():
        journey.write(path, content)
    await save(journey, {case.name: case.entry(case.first) for case in OBJECT_CASES.values()})
    yield journey


async def save(journey: Journey, shares: Mapping[str, Entry]) -> None:
    journey.save("objects.yaml", pack("Objects", share=list(shares.values())))
    await journey.converge()
    assert_nothing_to_do(await journey.plan())


def assert_said(sdk: Any, wanted: Iterable[Entry]) -> None:
    wrong = {}
    for share in wanted:
        found = shared_objects(sdk, share["name"])
        (item,) = share["data_objects"]
        if lines := differences(item, found.get(item["name"], {})):
            wrong[share["name"]] = lines
    assert not wrong


async def test_each_field_is_made_changed_cleared_left_alone_and_removed(stocked: Journey, sdk: Any) -> None:
    assert_said(sdk, (case.entry(case.first) for case in OBJECT_CASES.values()))
    second = {case.name: case.entry(case.second) for case in OBJECT_CASES.values()}
    stocked.save("objects.yaml", pack("Objects", share=list(second.values())))
    planned = open_steps(await stocked.plan())
    assert planned.keys() == OBJECT_CASES.keys()
    assert {name: cause(step) for name, step in planned.items()} == dict.fromkeys(OBJECT_CASES, Cause.FILE)
    stocked.control.clear_log()
    await save(stocked, second)
    assert_said(sdk, second.values())
    assert contents_sent(stocked) == {"notebook-file-content": b"# two\n", "notebook-file-alias": b"# one\n"}

    cleared = {
        case.name: case.entry(case.second if case.cleared is None else case.cleared) for case in OBJECT_CASES.values()
    }
    await save(stocked, cleared)
    assert_said(sdk, cleared.values())

    await leave_alone(stocked, sdk)

    await save(stocked, {name: {**share, "data_objects": []} for name, share in cleared.items()})
    assert not any(shared_objects(sdk, name) for name in OBJECT_CASES)
    (stocked.repository / "sharepacks" / "objects.yaml").unlink()
    stocked.commit("Remove")
    await stocked.converge()
    assert_nothing_to_do(await stocked.plan())
    assert list(sdk.shares.list_shares()) == []


async def leave_alone(journey: Journey, sdk: Any) -> None:
    """What is not mentioned any more stays as it was, and what is done to it by hand is nobody's business."""
    before = {name: shared_objects(sdk, name) for name in OBJECT_CASES}
    silent = {case.name: case.entry({}) for case in OBJECT_CASES.values()}
    journey.save("objects.yaml", pack("Objects", share=list(silent.values())))
    verdicts = {type(step.verdict) for name, step in open_steps(await journey.plan()).items() if name != CONTENT.name}
    assert verdicts == {Record}
    journey.control.clear_log()
    await save(journey, silent)
    assert [path for _, path, _ in journey.writes()] == [f"/shares/{CONTENT.name}"]
    assert {name: shared_objects(sdk, name) for name in OBJECT_CASES} == before
    for case in OBJECT_CASES.values():
        change_object_by_hand(sdk, case)
    assert_nothing_to_do(await journey.plan())


#: Without its content a notebook is none: this case goes back to the first one instead of leaving it out.
CONTENT = OBJECT_CASES["notebook-file-content"]


def contents_sent(journey: Journey) -> dict[str, bytes]:
    sent = {}
    for _, path, body in journey.writes():
        for update in body.get("updates", ()):
            if content := update["data_object"].get("content"):
                sent[path.rpartition("/")[2]] = base64.b64decode(content)
    return sent


async def test_each_field_changed_by_hand_is_one_step_and_comes_back(stocked: Journey, sdk: Any) -> None:
    cases = [case for case in OBJECT_CASES.values() if case is not CONTENT]
    for case in cases:
        change_object_by_hand(sdk, case)
        assert differences(case.first, next(iter(shared_objects(sdk, case.name).values()))), case.name
    planned = open_steps(await stocked.plan())
    assert planned.keys() == {case.name for case in cases}
    for case in cases:
        assert_one_drift(case, planned[case.name])
    await stocked.converge()
    assert_said(sdk, (case.entry(case.first) for case in cases))
    assert_nothing_to_do(await stocked.plan())


def assert_one_drift(case: Case, step: Step) -> None:
    verdict = step.verdict
    assert isinstance(verdict, Update), case.name
    assert verdict.cause is Cause.DRIFT, (case.name, verdict.changes)
    # Another alias is another object: one goes, one comes.
    assert len(verdict.changes) == (2 if case.label == "alias" else 1), (case.name, verdict.changes)


async def test_the_content_of_a_notebook_is_not_shown_so_only_the_file_changes_it(stocked: Journey, sdk: Any) -> None:
    change_object_by_hand(sdk, CONTENT)
    assert_nothing_to_do(await stocked.plan())


async def test_types_are_looked_up_and_what_the_server_fills_in_is_no_drift(journey: Journey, sdk: Any) -> None:
    journey.control.seed(SEED)
    shares: dict[str, Entry] = {}
    for kind, source in SOURCES.items():
        if kind not in SAID_ONLY:
            shares[f"plain-{kind}"] = {"name": f"plain-{kind}", "data_objects": [source]}
        if kind != "NOTEBOOK_FILE":
            shares[f"said-{kind}"] = {"name": f"said-{kind}", "data_objects": [{"name": source, "type": kind.lower()}]}
    await save(journey, shares)
    for name, share in shares.items():
        ((source, said),) = shared_objects(sdk, name).items()
        assert (source, said["type"]) == (SOURCES[name.partition("-")[2]], name.partition("-")[2])
        assert said["shared_as"], "the server has chosen one"
        assert share["data_objects"]


async def test_one_table_under_two_aliases_is_two_objects_where_the_workspace_takes_it(
    journey: Journey, sdk: Any
) -> None:
    journey.control.seed(SEED)
    journey.control.knobs(same_source_two_aliases="accept")
    source = SOURCES["TABLE"]
    all_of_it = {"name": source, "shared_as": "out.all_of_it"}
    emea: dict[str, Any] = {"name": source, "shared_as": "out.emea", "partitions": ["region = 'EMEA'"]}

    def found() -> dict[str, Any]:
        objects = sdk.shares.get("twice", include_shared_data=True).objects or ()
        return {item.shared_as: item.comment for item in objects}

    await save(journey, {"twice": {"name": "twice", "data_objects": [all_of_it, emea]}})
    assert found() == {"out.all_of_it": None, "out.emea": None}
    emea["comment"] = "ours"
    await save(journey, {"twice": {"name": "twice", "data_objects": [emea, all_of_it]}})
    assert found() == {"out.all_of_it": None, "out.emea": "ours"}
    hand = sdk_object("TABLE", shared_as="out.emea", comment="by hand")
    sdk.shares.update("twice", updates=[SharedDataObjectUpdate(UPDATE, hand)])
    (step,) = open_steps(await journey.plan()).values()
    assert (cause(step), len(getattr(step.verdict, "changes", ()))) == (Cause.DRIFT, 1)
    await journey.converge()
    assert found() == {"out.all_of_it": None, "out.emea": "ours"}
    await save(journey, {"twice": {"name": "twice", "data_objects": [all_of_it]}})
    assert found() == {"out.all_of_it": None}
