import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from jsonschema import Draft7Validator

from reconciler.core.plan import Plan
from reconciler.render.plan_json import plan_document, plan_json
from reconciler.render.saved_plan import SavedPlanError, read_saved_plan
from tests.render.scenes import planned, scenes

SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "plan.schema.json").read_text(encoding="utf-8"))
SCENES = scenes()


@pytest.mark.parametrize("name", SCENES)
@pytest.mark.parametrize("with_calls", [False, True])
def test_every_plan_fits_the_published_schema(name: str, with_calls: bool) -> None:
    validator = Draft7Validator(SCHEMA)
    document = json.loads(plan_json(SCENES[name], with_calls=with_calls))
    assert [error.message for error in validator.iter_errors(document)] == []


def test_the_schema_is_a_draft_7_schema_that_refuses_other_things() -> None:
    Draft7Validator.check_schema(SCHEMA)
    document = plan_document(SCENES["changed"])
    document["packs"][0]["steps"][0]["verdict"] = "explode"
    assert not Draft7Validator(SCHEMA).is_valid(document)


def test_the_same_plan_gives_the_same_bytes() -> None:
    assert plan_json(planned()["changed"]) == plan_json(SCENES["changed"])


def test_the_document_says_who_gains_and_loses() -> None:
    access = {each["recipient"]: each for each in plan_document(SCENES["changed"])["packs"][0]["access"]}
    assert access["emea-lake"]["gains"][:2] == ["prod_catalog.marketing", "prod_catalog.sales.customers"]
    assert access["stranger-x"]["loses"] == ["prod_catalog.sales.transactions"]
    assert access["stranger-x"]["who"] == "in no pack of this plan"


def test_a_held_step_has_no_calls_and_no_actions() -> None:
    pack = plan_document(SCENES["uncommitted"], with_calls=True)["packs"][0]
    held = next(step for step in pack["steps"] if step["held"])
    assert held["calls"] == []
    assert not any("sales_q1_share" in action for action in pack["actions"])


@pytest.mark.parametrize("name", SCENES)
def test_a_saved_plan_reads_back_as_what_was_approved(name: str) -> None:
    plan: Plan = SCENES[name]
    saved = read_saved_plan(plan_json(plan))
    assert saved.revision == plan.revision
    assert {
        pack: (each.fingerprint, each.actions, each.workspace, each.gains) for pack, each in saved.packs.items()
    } == {pack.pack: (pack.fingerprint, pack.actions, pack.workspace, pack.gains) for pack in plan.packs}


def test_a_plan_of_the_first_format_is_refused_since_it_does_not_say_who_gains() -> None:
    text = (Path(__file__).parent / "golden" / "saved_1_0.json").read_text(encoding="utf-8")
    with pytest.raises(SavedPlanError, match=r"format version 1\.0 .* plan again"):
        read_saved_plan(text)


def test_the_document_opens_with_access_over_all_packs_and_effects_worst_first() -> None:
    document = plan_document(SCENES["names_and_kinds"])
    assert document["effects"] == {"done": {"revokes_all": 1, "breaks": 1, "metadata": 1}, "held": {}}
    assert list(document["effects"]["done"]) == ["revokes_all", "breaks", "metadata"]
    assert [each["recipient"] for each in plan_document(SCENES["lender"])["access"]] == ["sales-analyst"]


def test_a_newer_minor_version_with_more_keys_is_read() -> None:
    document = plan_document(SCENES["new"]) | {"format_version": "2.9", "more": 1}
    document["revision"]["more"] = 1
    assert read_saved_plan(json.dumps(document)).packs


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", "null", '{"format": "other"}', '{"format": "sharepack-plan"}'])
def test_a_foreign_file_is_refused_with_what_to_do(text: str) -> None:
    with pytest.raises(SavedPlanError, match="sharepack plan --out"):
        read_saved_plan(text)


def _more_actions(document: dict[str, Any]) -> None:
    document["packs"][0]["actions"].append("share/sales_q1_share delete")


def _other_workspace(document: dict[str, Any]) -> None:
    document["packs"][0]["workspace"] = "https://elsewhere.example"


def _other_pack(document: dict[str, Any]) -> None:
    document["packs"][0]["id"]["project_name"] = "Another Project"


def _more_gains(document: dict[str, Any]) -> None:
    document["packs"][0]["gains"].append("eve reads main.s.t (TABLE)")


@pytest.mark.parametrize("change", [_more_actions, _more_gains, _other_workspace, _other_pack])
def test_a_plan_changed_by_hand_is_refused(change: Callable[[dict[str, Any]], None]) -> None:
    document = plan_document(SCENES["new"])
    change(document)
    with pytest.raises(SavedPlanError, match="changed after it was made"):
        read_saved_plan(json.dumps(document))


def test_another_major_version_is_refused() -> None:
    document = plan_document(SCENES["new"]) | {"format_version": "3.0"}
    with pytest.raises(SavedPlanError, match=r"format version 3\.0"):
        read_saved_plan(json.dumps(document))
