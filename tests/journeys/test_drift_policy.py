"""What was changed by hand is put back, or only told where a pack or its tenant says `drift: report`: with what is
recorded, what is there and what is wanted, and who did it when."""

from typing import Any

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.service.sharing import AuthenticationType, PermissionsChange

from reconciler.core.verdict import Drifted
from tests.journeys.declared import CUSTOMERS, TRANSACTIONS, d2o, pack, share
from tests.journeys.journey import Journey
from tests.journeys.told import changing, rules, step_of, text

PARTNER = d2o("partner", comment="ours", allowed_ips=["203.0.113.0/24"])
SHARE = share("s", ["partner"], comment="ours")
#: Somebody else than the service.
SOMEBODY = "owner@sandbox.example"


def _by_hand(journey: Journey, sdk: Any) -> None:
    """The share gets a stranger and another remark; the last change is somebody else's."""
    sdk.recipients.create("stranger", AuthenticationType.TOKEN)
    sdk.shares.update_permissions("s", changes=[PermissionsChange(principal="stranger", add=["SELECT"])])
    sdk.shares.update("s", owner=SOMEBODY)
    _somebody(journey).shares.update("s", comment="by hand")
    journey.control.clear_log()


def _somebody(journey: Journey) -> Any:
    return WorkspaceClient(config=Config(host=journey.url, token="dapi-sandbox-owner", retry_timeout_seconds=5))


@pytest.mark.parametrize("by", ["pack", "tenant"])
async def test_drift_that_is_only_to_be_told_is_told_and_left(journey: Journey, sdk: Any, by: str) -> None:
    policy = "report" if by == "pack" else None
    if by == "tenant":
        journey.write("tenants.yaml", "tenants: {Sales Operations: {drift: report}}\n")
    journey.write("other.yaml", pack("other", share("kept", [], comment="ours"), drift="correct"))
    journey.save("p.yaml", pack("P", PARTNER, SHARE, share("gone", []), drift=policy))
    await journey.converge()
    _by_hand(journey, sdk)
    sdk.shares.update("kept", comment="by hand")
    sdk.shares.delete("gone")
    journey.control.clear_log()

    plan = await journey.plan()
    assert rules(plan) == []
    assert changing(plan) == ["Update share/kept"]
    assert isinstance(step_of(plan, "share/s").verdict, Drifted)
    said = text(plan)
    assert 'recorded "ours", actual "by hand", desired "ours"' in said
    assert f"by {SOMEBODY}" in said
    assert "- stranger   added by hand (recorded: no, actual: yes, desired: no)" in said
    assert "deleted by hand (recorded: yes, actual: no, desired: yes)" in said
    assert said.count("only reported (drift: report)") == 2
    applied = await journey.apply()
    assert applied.failed == ()
    assert applied.is_converged
    assert [path for _, path, _ in journey.writes()] == ["/shares/kept"]
    assert isinstance(step_of(await journey.plan(), "share/gone").verdict, Drifted)

    # Changing the resource in the file corrects all of it; what the file does not touch stays as it is.
    changed = share("s", ["partner"], [TRANSACTIONS, CUSTOMERS], comment="ours")
    sdk.shares.update("s", owner="sharepack@sandbox.example")
    journey.save("p.yaml", pack("P", PARTNER, changed, share("gone", []), drift=policy))
    journey.control.clear_log()
    await journey.converge()
    assert {path for _, path, _ in journey.writes()} == {"/shares/s/permissions", "/shares/s"}
    assert [each.principal for each in sdk.shares.share_permissions("s").privilege_assignments] == ["partner"]
    assert sdk.shares.get("s").comment == "ours"
    plan = await journey.plan()
    assert [str(step.key) for step in plan.steps if isinstance(step.verdict, Drifted)] == ["share/gone"]
    journey.save("p.yaml", pack("P", PARTNER, changed, share("gone", [], comment="again"), drift=policy))
    await journey.converge()
    assert {item.name for item in sdk.shares.list_shares()} == {"s", "kept", "gone"}


async def test_a_pack_that_corrects_does_so_although_its_tenant_reports(journey: Journey, sdk: Any) -> None:
    journey.write("tenants.yaml", "tenants: {Sales Operations: {drift: report}}\n")
    journey.save("p.yaml", pack("P", PARTNER, SHARE, drift="correct"))
    await journey.converge()
    sdk.shares.update("s", comment="by hand")
    sdk.recipients.delete("partner")
    plan = await journey.plan()
    assert changing(plan) == ["Create recipient/partner", "Update share/s"]
    await journey.converge()
    assert [each.principal for each in sdk.shares.share_permissions("s").privilege_assignments] == ["partner"]
    assert sdk.shares.get("s").comment == "ours"


async def test_what_drifted_stands_apart_from_what_the_file_changes(journey: Journey, sdk: Any) -> None:
    journey.save("p.yaml", pack("P", PARTNER, SHARE))
    await journey.converge()
    sdk.shares.update("s", owner=SOMEBODY)
    _somebody(journey).shares.update("s", comment="by hand")
    sdk.shares.update("s", owner="sharepack@sandbox.example")
    changed = share("s", ["partner"], [TRANSACTIONS, CUSTOMERS], comment="ours")
    journey.save("p.yaml", pack("P", PARTNER, changed))
    said = text(await journey.plan())
    by_file, _, drifted = said.partition("  Drift  ")
    assert f"+ {CUSTOMERS}" in by_file
    assert "by hand" not in by_file
    assert 'recorded "ours", actual "by hand", desired "ours"' in drifted
    assert "last changed " in drifted
    assert " UTC by sharepack@sandbox.example" in drifted
    # The file that changes the same field differs from both.
    journey.save("p.yaml", pack("P", PARTNER, share("s", ["partner"], comment="newer")))
    assert 'recorded "ours", actual "by hand", desired "newer"' in text(await journey.plan())
    await journey.converge()
    assert changing(await journey.plan()) == []
