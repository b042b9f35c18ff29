"""Every verdict, every kind of change and every field is told, in text and in JSON, and no notebook in either."""

import base64
import json
from collections.abc import Iterator
from dataclasses import fields, replace
from typing import get_args

import pytest

from reconciler.core.changes import (
    Cause,
    ElementRemoved,
    FieldChange,
    ObjectChanged,
    TokenRotated,
    TokenShortened,
    ValueSet,
)
from reconciler.core.key import recipient_key
from reconciler.core.plan import Plan, Step
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import Share, SharedObject
from reconciler.core.verdict import Create, Ignore, Update, Verdict
from reconciler.render.calls import calls_text
from reconciler.render.plan_json import plan_document, plan_json
from reconciler.render.plan_text import Detail, plan_text
from reconciler.render.step_json import step_value
from tests.render.plans import NOW, PARTNER, WORKSPACE, Scene, plan_of, table
from tests.render.scenes import scenes
from tests.render.whole_scenes import DAY, EVERYTHING, NOTEBOOK, OIDC, ORDERS, POLICY, SOURCE, WHOLE

SCENES = scenes()
KEY = recipient_key("sales-analyst", WORKSPACE)


def steps() -> Iterator[Step]:
    return (step for plan in SCENES.values() for step in plan.steps)


def changes(step: Step) -> tuple[FieldChange, ...]:
    return getattr(step.verdict, "changes", ())


def one(verdict: Verdict) -> Plan:
    """A plan with nothing but this verdict on one recipient."""
    plan = plan_of(Scene([PARTNER], [PARTNER], [PARTNER]))
    (pack,) = plan.packs
    return replace(plan, packs=(replace(pack, steps=(Step(KEY, verdict, None),)),))


def test_the_kept_plans_hold_every_verdict_but_that_on_what_is_not_ours() -> None:
    assert {type(step.verdict) for step in steps()} == set(get_args(Verdict)) - {Ignore}


def test_the_kept_plans_hold_every_kind_of_change_but_a_shortened_token() -> None:
    found = {type(change) for step in steps() for change in changes(step)}
    assert found == set(get_args(FieldChange)) - {TokenShortened}


@pytest.mark.parametrize("resource", [WHOLE, OIDC, EVERYTHING], ids=lambda each: each.name)
def test_every_managed_field_of_a_new_resource_is_shown(resource: Recipient | Share) -> None:
    text = plan_text(SCENES["every_field"])
    names = {"authentication": "type"}
    managed = [each.name for each in fields(resource) if each.name != "name"]
    blank = type(resource)("x", TokenSharing()) if isinstance(resource, Recipient) else Share("x")
    shown = [names.get(name, name) for name in managed if getattr(resource, name) != getattr(blank, name)]
    start = text.index(f"/{resource.name}  ")
    end = text.find("q1.yaml:", text.index("q1.yaml:", start) + 1)
    assert len(shown) > 2
    assert [name for name in shown if f"\n      {name}" not in text[start:end]] == []


@pytest.mark.parametrize("item", [ORDERS, NOTEBOOK], ids=str)
def test_every_managed_attribute_of_an_object_is_in_its_line(item: SharedObject) -> None:
    (said,) = [
        each for each in plan_text(SCENES["every_field"]).splitlines() if f"+ {item.name}" in each and "," in each
    ]
    blank = SharedObject(item.name, item.type)
    for each in fields(item):
        if getattr(item, each.name) not in {getattr(blank, each.name), False}:
            other = plan_text(plan_of(Scene([share_of(replace(item, **{each.name: getattr(blank, each.name)}))])))
            is_default_alias = each.name == "shared_as" and item is NOTEBOOK
            assert (said in other) is is_default_alias, each.name


def share_of(item: SharedObject) -> Share:
    return Share("s", "", frozenset({item}), frozenset())


@pytest.mark.parametrize("name", SCENES)
def test_no_notebook_is_in_any_rendering(name: str) -> None:
    texts = [plan_text(SCENES[name], detail=Detail(listed=10_000)), calls_text(SCENES[name])]
    texts.append(plan_json(SCENES[name], with_calls=True))
    for text in texts:
        assert "nobody may see this" not in text
        assert base64.b64encode(SOURCE).decode()[:24] not in text


def test_a_shortened_token_says_from_when_to_when() -> None:
    change = TokenShortened("token-1", None, NOW + 30 * DAY * 1000)
    plan = one(Update(PARTNER, PARTNER, (change,), Cause.FILE))
    assert "token        ends never → 2026-12-22 09:30:00 UTC" in plan_text(plan)
    (value,) = plan_document(plan)["packs"][0]["steps"][0]["changes"]
    assert value == {
        "field": "token",
        "action": "shorten",
        "token_id": "token-1",
        "before": None,
        "after": "2026-12-22T09:30:00Z",
        "cause": "file",
    }


def test_a_token_without_overlap_stops_at_once() -> None:
    plan = one(Update(PARTNER, PARTNER, (TokenRotated("token-1", NOW, 0),), Cause.FILE))
    assert "the one issued 2026-11-22 09:30:00 UTC is replaced by a new one; the old one stops working at once" in (
        plan_text(plan)
    )


def test_what_leaves_no_address_is_said_for_the_file_and_for_a_hand() -> None:
    opened = replace(PARTNER, allowed_ips=frozenset())
    for cause in Cause:
        removed = (ElementRemoved("allowed_ips", "192.168.1.0/24", cause),)
        assert "can then read from any address" in plan_text(one(Update(PARTNER, opened, removed, cause)))


def test_addresses_policies_and_recipients_are_never_cut() -> None:
    addresses = frozenset(f"10.0.0.{number}" for number in range(100))
    policies = frozenset(replace(POLICY, name=f"policy-{number:03}") for number in range(30))
    readers = frozenset(f"reader-{number:03}" for number in range(50))
    share = Share("s", "", frozenset({table(f"c.s.t{number}") for number in range(9)}), readers)
    before: list[Resource] = [replace(PARTNER, allowed_ips=addresses), replace(OIDC, policies=policies), share]
    after: list[Resource] = [
        replace(PARTNER, allowed_ips=frozenset({"192.0.2.1"})),
        replace(OIDC, policies=frozenset()),
        replace(share, recipients=frozenset()),
    ]
    for scene in (
        Scene(list(before)),
        Scene(list(after), list(before), list(before)),
        Scene([], list(before), list(before)),
    ):
        text = plan_text(plan_of(scene), detail=Detail(listed=1))
        gone = not scene.declared
        assert all(reader in text for reader in readers)
        assert all(policy.name in text for policy in policies)
        assert gone or all(f"{address}" in text for address in addresses)


def test_a_long_list_of_changed_objects_is_cut_visibly() -> None:
    before = frozenset(replace(table(f"c.s.t{number:02}"), comment="") for number in range(30))
    after = frozenset(replace(item, comment="new") for item in before)
    share = Share("s", "", before, frozenset())
    plan = plan_of(Scene([replace(share, objects=after)], [share], [share]))
    assert "… and 10 more changes of objects (--full shows all)" in plan_text(plan)
    assert plan_text(plan, detail=Detail(listed=30)).count("~ c.s.t") == 30


def test_a_long_value_is_cut_and_says_by_how_much() -> None:
    plan = plan_of(Scene([replace(PARTNER, comment="x" * 500)], [PARTNER], [PARTNER]))
    assert f'{"x" * 200}…" (+300 characters)' in plan_text(plan)
    assert "x" * 500 in json.dumps(plan_document(plan))


def test_an_object_that_changed_is_whole_in_json_with_the_attributes_that_change() -> None:
    plan = SCENES["every_change"]
    step = next(step for step in plan.steps if step.key.name == "everything_share")
    values = {
        each["element"]: each for each in step_value(step, with_calls=False)["changes"] if each["action"] == "change"
    }
    orders = values["prod_catalog.sales.orders"]
    assert [each["field"] for each in orders["sets"]] == ["comment", "partitions", "history", "cdf", "start_version"]
    assert orders["object"]["shared_as"] == "public.orders"
    assert values["guide.py"]["sets"][0]["field"] == "content"


def test_a_rename_says_from_what_also_when_its_step_does_not() -> None:
    plan = SCENES["names_and_kinds"]
    for step in plan.steps:
        if step.key.name == "sales_q1_share":
            value = step_value(replace(step, renamed_from=""), with_calls=True)
            assert value["renamed_from"] == "old_share"
            assert value["calls"][0]["body"] == {"new_name": "sales_q1_share"}


def test_attributes_changed_by_the_file_and_by_hand_are_told_apart() -> None:
    item = replace(ORDERS, content=NOTEBOOK.content)
    sets = (
        ValueSet("comment", "hand", "file", Cause.BOTH, "record"),
        ValueSet("start_version", "3", "4", Cause.FILE, "3"),
        ValueSet("cdf", "off", "on", Cause.DRIFT, "on"),
    )
    change = ObjectChanged(item, item, sets, item)
    share = Share("s", "", frozenset({item}), frozenset())
    text = plan_text(one(Update(share, share, (change,), Cause.BOTH)))
    by_file, by_hand = text.split("  Drift  ")
    assert 'comment      "hand" → "file"   ← changed in the file and by hand' in by_file
    assert "start_version  3 → 4" in by_file
    assert "cdf" not in by_file
    assert 'comment      recorded "record", actual "hand", desired "file"' in by_hand
    assert "cdf          recorded on, actual off, desired on" in by_hand
    assert "start_version" not in by_hand


def test_a_share_made_anew_after_a_deletion_by_hand_is_drift() -> None:
    text = plan_text(one(Create(PARTNER, Cause.DRIFT)))
    assert text.index("Drift") < text.index("deleted by hand") < text.index("needs a new activation link")
