"""What others do to the workspace meanwhile: told, never crashed on, never silently undone or taken over."""

from typing import Any

from databricks.sdk.service.sharing import (
    AuthenticationType,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)

from reconciler.core.changes import Cause
from reconciler.core.verdict import Update
from tests.journeys.fields import told
from tests.journeys.journey import Journey
from tests.journeys.packs import FINANCE, SALES

METASTORE = "aws:us-west-2:abc-123-def"


async def test_a_share_made_anew_by_hand_is_told_with_all_it_lost(journey: Journey, sdk: Any) -> None:
    """It has the name and none of the readers: no grant is lost without a line in the plan."""
    journey.save("sales.yaml", SALES)
    await journey.converge()
    sdk.shares.delete("sales_q1_share")
    sdk.shares.create("sales_q1_share", comment="Q1 sales data")
    plan = await journey.plan()
    (step,) = [step for step in plan.steps if step.is_work]
    assert isinstance(step.verdict, Update)
    assert step.verdict.cause is Cause.DRIFT
    assert told(step) == [
        "objects + prod_catalog.sales.customers",
        "objects + prod_catalog.sales.transactions",
        "recipients + sales-analyst",
    ]
    await journey.converge()
    assert [each.principal for each in sdk.shares.share_permissions("sales_q1_share").privilege_assignments] == [
        "sales-analyst"
    ]


async def test_a_recipient_deleted_by_hand_comes_back_with_all_its_grants(journey: Journey, sdk: Any) -> None:
    """What a partner's metastore may need when its own side of the share is gone, which nobody sees from here."""
    journey.save("finance.yaml", FINANCE)
    await journey.converge()
    sdk.recipients.delete("external-auditor")
    sdk.recipients.delete("internal-analyst")
    assert not sdk.shares.share_permissions("audit_log_share").privilege_assignments
    steps = {step.key.name: step.verdict for step in (await journey.plan()).steps if step.is_work}
    assert {name: getattr(verdict, "cause", None) for name, verdict in steps.items()} == dict.fromkeys(
        ["external-auditor", "internal-analyst", "finance_q1_share", "audit_log_share"], Cause.DRIFT
    )
    await journey.converge()

    def readers(share: str) -> set[str]:
        return {each.principal for each in sdk.shares.share_permissions(share).privilege_assignments}

    assert readers("finance_q1_share") == {"external-auditor", "internal-analyst"}
    assert readers("audit_log_share") == {"external-auditor"}


async def test_an_object_that_came_with_another_type_by_hand_is_told_and_taken_out(journey: Journey, sdk: Any) -> None:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    volume = SharedDataObject(
        "prod_catalog.sales.invoices", data_object_type=SharedDataObjectDataObjectType.VOLUME, comment="by hand"
    )
    sdk.shares.update("sales_q1_share", updates=[SharedDataObjectUpdate(SharedDataObjectUpdateAction.ADD, volume)])
    (step,) = [step for step in (await journey.plan()).steps if step.is_work]
    assert told(step) == ["objects - prod_catalog.sales.invoices"]
    await journey.converge()


async def test_a_metastore_that_is_a_recipient_already_is_found_when_planning_and_adopted_by_its_name(
    journey: Journey, sdk: Any
) -> None:
    """Under a name that no pack can know. Nothing is made twice and nothing is taken over unasked."""
    sdk.recipients.create(
        "theirs", AuthenticationType.DATABRICKS, data_recipient_global_metastore_id=METASTORE, comment="by hand"
    )
    journey.save("finance.yaml", FINANCE)
    plan = await journey.plan()
    found = {str(step.key): item.message for step in plan.steps for item in step.objections}
    assert "its metastore is the recipient theirs already" in found["recipient/internal-analyst"]
    await journey.apply()
    assert "internal-analyst" not in {each.name for each in sdk.recipients.list()}
    adopted = FINANCE.replace("  - name: internal-analyst\n", "  - name: theirs\n    adopt: true\n")
    journey.save("finance.yaml", adopted.replace("      - internal-analyst\n", "      - theirs\n"))
    await journey.converge()
    assert sdk.recipients.get("theirs").comment == "Internal data analyst team"


async def test_one_table_under_two_aliases_is_two_objects_of_one_share(journey: Journey, sdk: Any) -> None:
    """Where the service takes it: whether it does is not confirmed."""
    journey.control.knobs(same_source_two_aliases="accept")
    objects = "      - prod_catalog.sales.transactions\n      - prod_catalog.sales.customers\n"
    twice = "".join(
        f"      - {{name: prod_catalog.sales.customers, shared_as: out.{alias}}}\n" for alias in ("one", "two")
    )
    journey.save("sales.yaml", SALES.replace(objects, twice))
    await journey.converge()

    def aliases() -> set[str]:
        return {item.shared_as for item in sdk.shares.get("sales_q1_share", include_shared_data=True).objects}

    assert aliases() == {"out.one", "out.two"}
    assert not (await journey.plan()).has_changes
    journey.save("sales.yaml", SALES.replace(objects, twice.replace("out.two", "out.three")))
    await journey.converge()
    assert aliases() == {"out.one", "out.three"}


async def test_the_order_in_a_file_is_no_matter(journey: Journey) -> None:
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.control.clear_log()
    lines = ("      - prod_catalog.sales.transactions\n", "      - prod_catalog.sales.customers\n")
    journey.save("sales.yaml", SALES.replace("".join(lines), "".join(reversed(lines))))
    plan = await journey.plan()
    assert not any(step.is_change for step in plan.steps)
    await journey.converge()
    assert journey.writes() == []


async def test_a_plan_reads_what_its_pack_names_however_much_there_is(journey: Journey, sdk: Any) -> None:
    """One look at each recipient and two at each share, and no list of all there is."""
    journey.save("sales.yaml", SALES)
    await journey.converge()

    async def reads() -> list[str]:
        journey.control.clear_log()
        await journey.plan()
        paths = [entry["path"] for entry in journey.control.log()]
        return sorted(path for path in paths if "/recipients" in path or "/shares" in path)

    before = await reads()
    for number in range(25):
        sdk.recipients.create(f"other-{number}", AuthenticationType.TOKEN)
        sdk.shares.create(f"other_{number}")
    assert await reads() == before
    root = "/api/2.1/unity-catalog"
    assert before == [
        f"{root}/recipients/sales-analyst",
        f"{root}/shares/sales_q1_share",
        f"{root}/shares/sales_q1_share/permissions",
    ]
