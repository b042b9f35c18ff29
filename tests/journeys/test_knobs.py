"""Where the real service's behaviour is not known, the sandbox can do either: the main job works under each."""

from dataclasses import fields
from typing import Any

import pytest

from reconciler.sandbox import Knobs
from tests.journeys.journey import Journey
from tests.journeys.packs import FINANCE, SALES

OTHER_VALUES: dict[str, Any] = {
    "already_exists_status": 409,
    "lowercase_names": False,
    "list_includes_tokens": False,
    "token_order": "oldest",
    "expired_tokens_listed": "never",
    "rotate_default_keeps_expiry": False,
    "permission_change_bumps_updated_at": True,
    "rotate_bumps_updated_at": False,
    "object_change_bumps_updated_at": False,
    "multi_update_atomic": False,
    "update_changed_alias": "accept",
    "history_reports_cdf": False,
    "delete_with_grants": "refused",
    "unknown_share_principal": "RECIPIENT_DOES_NOT_EXIST",
    "second_activation_status": 410,
    "retry_after_header": False,
    "page_size": 1,
    "empty_middle_pages": True,
    "shuffle_lists": True,
    "stale_reads": 2,
    "properties_as_list_accepted": False,
    "name_in_patch_renames": False,
    "quota_status": 429,
    "objects_follow_table_rename": False,
    "same_source_two_aliases": "accept",
    "empty_lists_omitted": False,
    "empty_share_update": "accept",
    "empty_recipient_update": "error",
}
LIMITS = {"max_shares", "max_recipients"}
#: Take patience, which journeys otherwise go without (`test_unattended`).
WITH_GRACE = {"hidden_reads", "hidden_writes"}


def test_every_knob_is_turned() -> None:
    assert {knob.name for knob in fields(Knobs)} - LIMITS - WITH_GRACE == set(OTHER_VALUES)
    assert all(getattr(Knobs(), name) != value for name, value in OTHER_VALUES.items())


@pytest.mark.parametrize(("knob", "value"), OTHER_VALUES.items())
async def test_the_main_job_works_under_the_other_behaviour(journey: Journey, knob: str, value: Any) -> None:
    journey.control.knobs(**{knob: value})
    journey.write("finance.yaml", FINANCE)
    journey.save("sales.yaml", SALES)
    await journey.converge()
    journey.write("finance.yaml", FINANCE.replace("external-auditor\n      - internal-analyst", "internal-analyst"))
    journey.save("sales.yaml", SALES.replace("customers", "refunds").replace("Q1 sales data", "Q1"))
    await journey.converge()
    (journey.repository / "sharepacks" / "sales.yaml").unlink()
    journey.save("finance.yaml", FINANCE.partition("  - name: audit_log_share")[0])
    await journey.converge()
    left = {item["name"] for item in journey.control.state()["shares"]}
    assert {name.lower() for name in left} == {"finance_q1_share"}
