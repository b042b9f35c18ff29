"""How many API calls an apply makes: those that change something, and those that prove it."""

from collections import Counter
from collections.abc import Collection

import pytest

from reconciler.core.key import PackId
from reconciler.core.plan import Plan
from reconciler.render.plan_json import plan_document
from reconciler.stages import verify, workers
from reconciler.stages.apply import apply_plan
from tests.journeys.journey import Journey

PACK = """
metadata: {{requestor: x@example.com, project_name: Counted, business_line: Sales Operations}}
recipient:
  - {{name: first, type: D2O, email: a@partner.com}}
  - {{name: second, type: D2O, email: b@partner.com}}
share:
  - {{name: one, comment: {comment}, recipients: [{readers}], data_objects: [prod_catalog.sales.refunds]}}
  - {{name: two, recipients: [first, second], data_objects: [prod_catalog.sales.refunds]}}
"""


def pack(comment: str = "c", readers: str = "first, second") -> str:
    return PACK.format(comment=comment, readers=readers)


async def calls_of(journey: Journey, content: str) -> Counter[str]:
    """Of the apply that follows the plan."""
    journey.save("counted.yaml", content)
    plan = await journey.plan()
    journey.control.clear_log()
    applied = await journey.apply(plan)
    assert applied.failed == ()
    assert applied.is_converged
    counts: Counter[str] = Counter(journey.control.counts()["by_route"])
    return Counter({route.replace("/api/2.1/unity-catalog", ""): count for route, count in counts.items()})


PROOF = Counter({"GET /recipients/{name}": 2, "GET /shares/{name}": 2, "GET /shares/{name}/permissions": 2})


async def test_a_new_pack_is_made_without_a_look_and_read_once(journey: Journey) -> None:
    assert await calls_of(journey, pack()) == PROOF + Counter(
        {
            "POST /recipients": 2,
            "POST /shares": 2,
            "PATCH /shares/{name}": 2,
            "PATCH /shares/{name}/permissions": 2,
        }
    )


@pytest.mark.parametrize(
    ("changed", "call"),
    [
        (pack(comment="d"), "PATCH /shares/{name}"),
        (pack(readers="first"), "PATCH /shares/{name}/permissions"),
    ],
    ids=["comment", "readers"],
)
async def test_a_small_change_is_one_look_and_one_call(journey: Journey, changed: str, call: str) -> None:
    await calls_of(journey, pack())
    look = Counter({"GET /shares/{name}": 1, "GET /shares/{name}/permissions": 1})
    assert await calls_of(journey, changed) == PROOF + look + Counter({call: 1})


async def test_nothing_changed_is_no_call_at_all_after_the_plan(journey: Journey) -> None:
    await calls_of(journey, pack())
    assert await calls_of(journey, pack()) == Counter()


ALONE = """
metadata: {{requestor: x@example.com, project_name: Alone {number}, business_line: Sales Operations}}
recipient:
  - {{name: reader_{number}, type: D2O, email: a@partner.com}}
share: [{{name: share_{number}, recipients: [reader_{reader}], data_objects: [prod_catalog.sales.refunds]}}]
"""


async def test_of_many_packs_each_is_read_once_some_while_others_are_worked_on(
    journey: Journey, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(verify, "ENOUGH", 4)
    monkeypatch.setattr(workers, "LOOK_EVERY", 0.02)
    # The last two have to do with each other, and wait until the end.
    for number in range(20):
        journey.write(f"{number:02}.yaml", ALONE.format(number=number, reader=min(18, number)))
    journey.commit()
    plan = await journey.plan()
    journey.control.clear_log()
    journey.control.latency(20)
    looked: list[set[str]] = []

    async def again(packs: Collection[PackId]) -> Plan:
        looked.append({pack.project_key for pack in packs})
        return await journey.plan_again(packs)

    document, force = plan_document(plan), journey.workforce(hands=2)
    applied = await apply_plan(plan, document, force, again, journey.clock, "pat@example.com")
    assert applied.is_converged
    assert applied.after is not None
    assert len(applied.after.packs) == 20
    assert len(looked) > 2
    assert sum(map(len, looked)) == 20
    assert {"alone 18", "alone 19"} <= looked[-1]
    log = journey.control.log()
    first_look = next(each["sequence"] for each in log if each["method"] == "GET")
    assert first_look < max(each["sequence"] for each in log if each["method"] == "PATCH")
    assert journey.control.counts()["by_route"]["GET /api/2.1/unity-catalog/shares/{name}"] == 20
