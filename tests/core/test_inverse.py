"""The inverse of convergence: whatever single managed field is changed by hand, exactly one step puts it back, with
cause drift, and a report of drift tells the same and does nothing."""

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from reconciler.core.changes import Cause
from reconciler.core.lowering import lower, managed_like
from reconciler.core.pack import DriftPolicy
from reconciler.core.recipient import FederationPolicy, OidcSharing, Recipient, SubjectClaim, TokenSharing
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import Condition, ObjectType, Share, SharedObject
from reconciler.core.verdict import Create, Drifted, Update
from tests.core.model import DAY, NOW
from tests.core.model_objects import as_found
from tests.core.worlds import SALES_Q1, WORKSPACE, a_pack, desired_of, planned, recorded_of, workspace_of

EMEA, APAC = (frozenset({frozenset({Condition("region", value=name)})}) for name in ("EMEA", "APAC"))
POLICY = FederationPolicy("main", "https://idp.example", SubjectClaim.SUB, "alice")
TOKEN = Recipient(
    "acme",
    TokenSharing(),
    allowed_ips=frozenset({"203.0.113.0/24", "198.51.100.50"}),
    comment="ours",
    owner="data-team",
    properties=frozenset({("org", "1"), ("tier", "gold")}),
    expires_at=NOW + 60 * DAY,
)
OIDC = Recipient("bolt", OidcSharing(), comment="", policies=frozenset({POLICY}))
TABLE = SharedObject(
    "main.sales.orders", ObjectType.TABLE, "pub.orders", "all", EMEA, history=False, cdf=True, start_version=3
)
HISTORY = SharedObject("main.sales.leads", ObjectType.TABLE, history=True)
SCHEMA = SharedObject("main.sales", ObjectType.SCHEMA, comment="all of it", history=True)
VOLUME = SharedObject("main.sales.files", ObjectType.VOLUME, "pub.files", "papers")
SHARE = Share(
    "s", "ours", frozenset({TABLE, HISTORY, SCHEMA, VOLUME}), frozenset({"acme", "bolt"}), "data-team", "s3://one"
)
ALL: tuple[Resource, ...] = (TOKEN, OIDC, SHARE)


def by_hand() -> Iterator[tuple[str, Resource]]:
    """Each resource, with one field as somebody's hand may leave it."""
    for value in (frozenset[str](), frozenset({"203.0.113.0/24"}), TOKEN.allowed_ips | {"0.0.0.0/0"}):  # type: ignore[operator]
        yield f"addresses {sorted(value)}", replace(TOKEN, allowed_ips=value)
    for value in (frozenset[tuple[str, str]](), frozenset({("org", "2"), ("tier", "gold")})):
        yield f"properties {sorted(value)}", replace(TOKEN, properties=value)
    yield "recipient comment", replace(TOKEN, comment="theirs")
    yield "recipient comment cleared", replace(TOKEN, comment="")
    yield "recipient owner", replace(TOKEN, owner="robot")
    yield "later end of the token", replace(TOKEN, expires_at=NOW + 90 * DAY)
    yield "a policy less", replace(OIDC, policies=frozenset())
    yield "a policy more", replace(OIDC, policies=frozenset({POLICY, replace(POLICY, name="spare")}))
    yield "a policy otherwise", replace(OIDC, policies=frozenset({replace(POLICY, subject="bob")}))
    yield "share comment", replace(SHARE, comment="theirs")
    yield "share owner", replace(SHARE, owner="robot")
    yield "storage root", replace(SHARE, storage_root="s3://two")
    yield "a reader less", replace(SHARE, recipients=frozenset({"acme"}))
    yield "no reader", replace(SHARE, recipients=frozenset())
    yield "a reader more", replace(SHARE, recipients=frozenset({"acme", "bolt", "eve"}))
    yield "no object", replace(SHARE, objects=frozenset())
    new = SharedObject("main.sales.more", ObjectType.VIEW)
    yield "an object more", replace(SHARE, objects=frozenset({TABLE, HISTORY, SCHEMA, VOLUME, new}))
    for name, item in objects_by_hand():
        yield name, replace(SHARE, objects=frozenset({HISTORY, SCHEMA, VOLUME, TABLE} - {original_of(item)} | {item}))


def original_of(item: SharedObject) -> SharedObject:
    return next(each for each in (TABLE, HISTORY, SCHEMA, VOLUME) if (each.name, each.type) == (item.name, item.type))


def objects_by_hand() -> Iterator[tuple[str, SharedObject]]:
    options: dict[str, list[Any]] = {
        "comment": ["", "theirs"],
        "partitions": [frozenset(), APAC, EMEA | APAC],
        "cdf": [False],
        "history": [True],
        "start_version": [0, 9],
        "shared_as": ["pub.theirs"],
    }
    for field, values in options.items():
        for value in values:
            yield f"{field} of a table {str(value)[:20]}", replace(TABLE, **{field: value})
    yield "history of a table", replace(HISTORY, history=False)
    yield "comment of a schema", replace(SCHEMA, comment="")
    yield "history of a schema", replace(SCHEMA, history=False)
    yield "comment of a volume", replace(VOLUME, comment="")
    yield "alias of a volume", replace(VOLUME, shared_as="pub.theirs")


@pytest.mark.parametrize(("_name", "hand"), list(by_hand()), ids=[name for name, _ in by_hand()])
def test_a_field_changed_by_hand_is_one_step_of_drift_and_put_back(_name: str, hand: Resource) -> None:
    key = key_of(hand, WORKSPACE)
    ours = next(item for item in ALL if key_of(item, WORKSPACE) == key)
    eve = Recipient("eve", TokenSharing())
    workspace = workspace_of(*(item for item in ALL if item is not ours), hand, eve)
    rows = recorded_of({key_of(item, WORKSPACE): (item, SALES_Q1) for item in ALL})
    desired = desired_of(a_pack(SALES_Q1, *ALL))
    plan = planned(desired, rows, workspace.observe(workspace.resources))
    (step,) = [step for step in plan.steps if step.is_change]
    assert step.key == key
    assert isinstance(step.verdict, Update)
    assert {change.cause for change in step.verdict.changes} == {Cause.DRIFT}
    for operation in lower(key, step.verdict):
        workspace.perform(operation.call)
    assert managed_like(ours, workspace.told(key)) == ours
    again = planned(desired, rows, workspace.observe(workspace.resources))
    assert not any(step.is_work for step in again.steps)


@pytest.mark.parametrize(("_name", "hand"), list(by_hand()), ids=[name for name, _ in by_hand()])
def test_a_report_of_drift_tells_the_same_changes_and_does_nothing(_name: str, hand: Resource) -> None:
    key = key_of(hand, WORKSPACE)
    workspace = workspace_of(*(item for item in ALL if key_of(item, WORKSPACE) != key), hand)
    rows = recorded_of({key_of(item, WORKSPACE): (item, SALES_Q1) for item in ALL})
    seen = workspace.observe(workspace.resources)
    corrected = planned(desired_of(a_pack(SALES_Q1, *ALL)), rows, seen)
    told = planned(desired_of(replace(a_pack(SALES_Q1, *ALL), drift=DriftPolicy.REPORT)), rows, seen)
    by_key = {step.key: step.verdict for step in corrected.steps}
    (verdict,) = [step.verdict for step in told.steps if isinstance(step.verdict, Drifted)]
    expected = by_key[key]
    assert isinstance(expected, Update)
    assert verdict == Drifted(expected.before, expected.changes)
    assert not any(step.is_work for step in told.steps)


@pytest.mark.parametrize("gone", ALL, ids=lambda each: each.name)
def test_what_was_deleted_by_hand_is_made_again_with_cause_drift(gone: Resource) -> None:
    key = key_of(gone, WORKSPACE)
    workspace = workspace_of(*(item for item in ALL if item is not gone))
    if isinstance(gone, Recipient):
        share = workspace.resources[key_of(SHARE, WORKSPACE)]
        assert isinstance(share, Share)
        readers = share.recipients if isinstance(share.recipients, frozenset) else frozenset()
        workspace.resources[key_of(SHARE, WORKSPACE)] = replace(share, recipients=readers - {gone.name})
    rows = recorded_of({key_of(item, WORKSPACE): (item, SALES_Q1) for item in ALL})
    keys = [key_of(item, WORKSPACE) for item in ALL]
    plan = planned(desired_of(a_pack(SALES_Q1, *ALL)), rows, workspace.observe(keys))
    changing = {step.key: step.verdict for step in plan.steps if step.is_change}
    assert changing.pop(key) == Create(gone, Cause.DRIFT)
    # The grants of a recipient go with it, and come back with it.
    assert {str(other): getattr(verdict, "cause", None) for other, verdict in changing.items()} == (
        {"share/s": Cause.DRIFT} if isinstance(gone, Recipient) else {}
    )


def test_what_the_server_fills_in_is_no_drift() -> None:
    bare = Share("s", objects=frozenset({SharedObject("main.sales.orders", ObjectType.TABLE)}))
    found = replace(SHARE, objects=frozenset({as_found(replace(TABLE, partitions=frozenset()))}))
    rows = recorded_of({key_of(bare, WORKSPACE): (bare, SALES_Q1)})
    workspace = workspace_of(found)
    plan = planned(desired_of(a_pack(SALES_Q1, bare)), rows, workspace.observe(workspace.resources))
    assert not plan.has_changes
