"""The packs committed in `sharepacks/`, the guide's examples among them: each applied to a sandbox, which then, asked
through the SDK, is what the file says."""

import shutil
from pathlib import Path
from typing import Any

import pytest
import yaml

from reconciler.core.desired import Desired
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import DatabricksSharing, OidcSharing, Recipient, TokenSharing
from reconciler.core.share import Share
from tests.journeys.journey import Journey
from tests.journeys.packs import FINANCE, SALES
from tests.packs.workbooks import GUIDE, written

ROOT = Path(__file__).parents[2]
PACKS = ROOT / "sharepacks"


def test_there_are_enough_of_them_in_both_formats() -> None:
    packs = [path for path in PACKS.rglob("*") if path.suffix in {".yaml", ".xlsx"} and path.name != "tenants.yaml"]
    assert len(packs) >= 20
    assert sum(path.suffix == ".xlsx" for path in packs) >= 4
    assert len({path.parent for path in packs}) >= 4


@pytest.mark.parametrize("example", [SALES, FINANCE])
def test_the_guide_s_examples_are_among_them_word_for_word(example: str) -> None:
    meant = yaml.safe_load(example)
    assert meant in [yaml.safe_load(path.read_text()) for path in PACKS.rglob("*.yaml")]


async def test_all_of_them_converge_and_are_as_the_files_say(journey: Journey, sdk: Any) -> None:
    journey.control.seed((ROOT / "reconciler" / "cli" / "demo_seed.yaml").read_text())
    shutil.copytree(PACKS, journey.repository / "sharepacks", dirs_exist_ok=True)
    journey.commit("All packs")
    desired = await journey.read()
    assert desired.problems == ()
    await journey.converge()
    assert_sandbox_is(desired, sdk)
    assert not (await journey.plan()).has_changes
    statuses = {state.status for state in await journey.ledger.pack_states()}
    assert statuses == {"COMPLETED"}


async def test_the_guide_s_workbook_ends_like_its_yaml(journey: Journey, sdk: Any) -> None:
    journey.save("finance.xlsx", written(GUIDE))
    await journey.converge()
    desired = await journey.read()
    assert {pack.file_format for pack in desired.packs.values()} == {"xlsx"}
    assert_sandbox_is(desired, sdk)
    (journey.repository / "sharepacks" / "finance.xlsx").unlink()
    journey.save("finance.yaml", FINANCE)
    assert not any(step.is_change for step in (await journey.plan()).steps)


def assert_sandbox_is(desired: Desired, sdk: Any) -> None:
    """Everything declared is there as declared, and nothing else is."""
    resources = [item.resource for pack in desired.packs.values() for item in pack.resources.values()]
    recipients = {item.name for item in resources if isinstance(item, Recipient)}
    shares = {item.name for item in resources if isinstance(item, Share)}
    assert {item.name for item in sdk.recipients.list()} == recipients
    assert {item.name for item in sdk.shares.list_shares()} == shares
    for item in resources:
        if isinstance(item, Recipient):
            assert_recipient_is(item, sdk.recipients.get(item.name))
        else:
            assert_share_is(item, sdk)


def assert_recipient_is(declared: Recipient, found: Any) -> None:
    match declared.authentication:
        case TokenSharing():
            assert found.authentication_type.value == "TOKEN"
        case DatabricksSharing(metastore_id):
            assert found.data_recipient_global_metastore_id == metastore_id
        case OidcSharing():
            assert found.authentication_type.value == "OIDC_FEDERATION"
        case other:
            pytest.fail(f"no pack can declare {other}")
    if declared.allowed_ips is not UNMANAGED:
        listed = found.ip_access_list.allowed_ip_addresses if found.ip_access_list else []
        assert set(listed) == declared.allowed_ips
    if declared.comment is not UNMANAGED:
        assert (found.comment or "") == declared.comment


def assert_share_is(declared: Share, sdk: Any) -> None:
    found = sdk.shares.get(declared.name, include_shared_data=True)
    if declared.objects is not UNMANAGED:
        assert {item.name for item in found.objects or []} == {item.name for item in declared.objects}
    if declared.recipients is not UNMANAGED:
        grants = sdk.shares.share_permissions(declared.name).privilege_assignments or []
        assert {grant.principal for grant in grants} == declared.recipients
    if declared.comment is not UNMANAGED:
        assert (found.comment or "") == declared.comment
