"""Every field that a pack can declare: set, cleared and not managed are three things, a change of any of them is a
version, a notebook is its digest, and letting go of a resource closes its rows."""

import json
from dataclasses import fields, replace
from hashlib import sha256
from typing import get_args

import asyncpg
import pytest

from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.calls import (
    Call,
    ChangeGrants,
    ChangeOwner,
    CreatePolicy,
    CreateRecipient,
    CreateShare,
    DeletePolicy,
    DeleteRecipient,
    DeleteShare,
    Operation,
    Rename,
    RotateToken,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.key import Key, recipient_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import DriftPolicy
from reconciler.core.recipient import FederationPolicy, OidcSharing, Recipient, SubjectClaim, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from reconciler.core.tenant import Tenant
from reconciler.ports.ledger import Claim, Done, WorkStatus
from tests.adapters.postgres.samples import (
    ANALYST_KEY,
    NOTEBOOK,
    OTHER_PACK,
    PACK,
    SALES,
    SALES_KEY,
    SOURCE,
    THIRD_PACK,
    WORKSPACE,
    a_plan,
    an_order,
    begin,
    claimed,
    conclude,
    wanted,
)

POLICY = FederationPolicy(
    "idp", "https://idp.partner.com", SubjectClaim.GROUPS, "readers", frozenset({"b", "a"}), "why"
)
RECIPIENT = Recipient(
    "analyst",
    OidcSharing(),
    email="a@partner.com",
    allowed_ips=frozenset({"10.0.0.0/8", "192.168.0.1"}),
    comment="a partner",
    owner="admins",
    properties=frozenset({("region", "EMEA"), ("tier", "")}),
    expires_at=4_102_444_800_001,
    policies=frozenset({POLICY, replace(POLICY, name="other", audiences=frozenset())}),
    token_lifetime=7_776_000,
    rotate_every=5_184_000,
    rotation_overlap=86_400,
    protect=True,
)
TABLE = SharedObject(
    "prod.sales.orders",
    ObjectType.TABLE,
    shared_as="sales.orders",
    comment="all of them",
    partitions=frozenset(
        {
            frozenset({Condition("region", value="EMEA"), Condition("org", recipient_property="org")}),
            frozenset({Condition("region", is_like=True, value="A%")}),
            frozenset({Condition("region")}),
        }
    ),
    history=False,
    cdf=True,
    start_version=0,
)
SHARE = Share(
    "sales",
    comment="Q1",
    objects=frozenset({TABLE, replace(TABLE, shared_as="sales.again"), NOTEBOOK, SharedObject("prod.hr")}),
    recipients=frozenset({"analyst", "partner"}),
    owner="admins",
    storage_root="s3://bucket/path",
    protect=True,
)
CLEARED = (
    Recipient(
        "analyst",
        OidcSharing(),
        email="",
        allowed_ips=frozenset(),
        comment="",
        owner="",
        properties=frozenset(),
        expires_at=0,
        policies=frozenset(),
        token_lifetime=0,
        rotate_every=0,
        rotation_overlap=0,
    ),
    Share("sales", comment="", objects=frozenset(), recipients=frozenset(), owner="", storage_root=""),
)
BARE: tuple[Resource, Resource] = (Recipient("analyst", OidcSharing()), Share("sales"))
FULL: tuple[Resource, Resource] = (RECIPIENT, SHARE)
FIELDS = [
    (resource, bare, field.name)
    for resource, bare in zip(FULL, BARE, strict=True)
    for field in fields(resource)
    if field.name not in {"name", "authentication"}
]


@pytest.fixture
async def held(ledger: PostgresLedger) -> Claim:
    return await claimed(ledger, an_order(PACK, wanted(ANALYST_KEY, RECIPIENT), wanted(SALES_KEY, SHARE)))


def key_of(resource: Resource) -> Key:
    return ANALYST_KEY if isinstance(resource, Recipient) else SALES_KEY


@pytest.mark.parametrize(
    "resource", [RECIPIENT, SHARE, *CLEARED, *BARE], ids=[f"{state} {kind}" for state in ("set", "cleared", "bare")
    for kind in ("recipient", "share")],
)  # fmt: skip
async def test_every_field_comes_back_as_it_was(ledger: PostgresLedger, held: Claim, resource: Resource) -> None:
    key = key_of(resource)
    for _ in range(2):
        await ledger.settle(held, key, resource, "as found")
    assert (await ledger.recorded([key], [])).resources[key].resource == resource
    assert [version.resource for version in await ledger.history(key)] == [resource]


@pytest.mark.parametrize(("resource", "bare", "field"), FIELDS, ids=[f"{type(r).__name__} {f}" for r, _, f in FIELDS])
async def test_a_change_of_any_field_is_a_version_that_tells_it(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim, resource: Resource, bare: Resource, field: str
) -> None:
    key = key_of(resource)
    states = [bare, replace(bare, **{field: getattr(resource, field)}), bare]
    for state in states:
        await ledger.settle(held, key, state, "as found")
    assert [version.resource for version in await ledger.history(key)] == states
    rows = await connection.fetch(
        "SELECT new_values FROM deltashare.audit_trail "
        "WHERE entity_type IN ('recipient', 'share') AND entity_version > 1"
    )
    column = {"objects": "data_objects", "policies": "federation_policies"}.get(field, field)
    assert [list(json.loads(row["new_values"])) for row in rows] == [[column], [column]]


async def test_the_bytes_of_a_notebook_are_in_the_order_alone(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    add = Operation(UpdateShare(SALES_KEY, add=(NOTEBOOK,)), SHARE)
    await conclude(ledger, held, await begin(ledger, held, add), Done())
    await ledger.finish(held, WorkStatus.DONE)
    tables = await connection.fetch(
        "SELECT format('%I.%I', schemaname, tablename) AS name FROM pg_tables "
        "WHERE schemaname IN ('deltashare', 'reconciler')"
    )
    encoded = "IyBhIG5vdGVib29rIHdpdGggYzRuNHJ5IGJ5dGVz"
    holding = {
        row["name"]
        for row in tables
        if await connection.fetchval(
            f"SELECT EXISTS (SELECT FROM {row['name']} AS t WHERE t::text LIKE '%c4n4ry%' OR t::text LIKE $1)",
            f"%{encoded}%",
        )
    }
    assert holding == {"reconciler.work"}
    [row] = await connection.fetch("SELECT call -> 'add' -> 0 AS added FROM reconciler.operations")
    assert json.loads(row["added"]) == {
        "name": "how to",
        "type": "NOTEBOOK_FILE",
        "content_digest": sha256(SOURCE).hexdigest(),
        "content_bytes": len(SOURCE),
    }


async def test_another_content_of_a_notebook_is_a_version(ledger: PostgresLedger, held: Claim) -> None:
    other = replace(NOTEBOOK, content=NotebookContent(sha256(b"other").hexdigest(), b"other"))
    for notebook in (NOTEBOOK, NOTEBOOK, other):
        await ledger.settle(held, SALES_KEY, Share("sales", objects=frozenset({notebook})), "as found")
    assert len(await ledger.history(SALES_KEY)) == 2


SOLO = recipient_key("solo", WORKSPACE)
CALLS: list[tuple[Call, Resource | None, str]] = [
    (CreateRecipient(ANALYST_KEY, OidcSharing()), RECIPIENT, "recipient created"),
    (UpdateRecipient(ANALYST_KEY, comment="c"), RECIPIENT, "recipient updated"),
    (CreatePolicy(ANALYST_KEY, POLICY), RECIPIENT, "federation policy created"),
    (DeletePolicy(ANALYST_KEY, "idp"), RECIPIENT, "federation policy deleted"),
    (ChangeOwner(ANALYST_KEY, "admins"), RECIPIENT, "owner changed"),
    (RotateToken(SOLO, "t-1", 60), Recipient("solo", TokenSharing()), "token rotated"),
    (Rename(SALES_KEY, "before"), SHARE, "renamed from before"),
    (CreateShare(SALES_KEY), SHARE, "share created"),
    (UpdateShare(SALES_KEY, add=(TABLE,)), SHARE, "share updated"),
    (ChangeGrants(SALES_KEY, grant=("analyst",)), SHARE, "grants changed"),
    (DeleteShare(SALES_KEY), None, "share deleted"),
    (DeleteRecipient(ANALYST_KEY), None, "recipient deleted"),
]


@pytest.mark.parametrize(("call", "after", "reason"), CALLS, ids=[type(call).__name__ for call, _, _ in CALLS])
async def test_every_call_is_recorded_and_named_in_the_history(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim, call: Call, after: Resource | None, reason: str
) -> None:
    if after is None:
        await ledger.settle(held, call.key, RECIPIENT if call.key == ANALYST_KEY else SHARE, "as found")
    await conclude(ledger, held, await begin(ledger, held, Operation(call, after)), Done("req-1"))
    [row] = await connection.fetch("SELECT call ->> 'call' AS call, name, outcome FROM reconciler.operations")
    assert tuple(row) == (type(call).__name__, call.key.name, "done")
    last = (await ledger.history(call.key))[-1]
    assert (last.resource, last.change_reason) == (after, reason)


def test_no_call_is_left_out() -> None:
    assert {type(call) for call, _, _ in CALLS} == set(get_args(Call))


async def test_a_rotated_token_is_an_operation_and_no_version(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, ANALYST_KEY, RECIPIENT, "as found")
    rotate = Operation(RotateToken(ANALYST_KEY, "t-1", 86_400), RECIPIENT)
    await conclude(ledger, held, await begin(ledger, held, rotate), Done())
    assert len(await ledger.history(ANALYST_KEY)) == 1
    call = json.loads(await connection.fetchval("SELECT call FROM reconciler.operations"))
    assert call == {"call": "RotateToken", "token_id": "t-1", "overlap": 86_400}


async def test_letting_go_closes_the_rows_and_a_later_adoption_continues_them(
    ledger: PostgresLedger, connection: asyncpg.Connection, held: Claim
) -> None:
    await ledger.settle(held, SALES_KEY, SALES, "as found")
    await ledger.settle(held, SALES_KEY, None, "let go: declared elsewhere now")
    assert (await ledger.recorded([SALES_KEY], [PACK])).resources == {}
    await ledger.finish(held, WorkStatus.DONE)
    other = await claimed(ledger, an_order(OTHER_PACK, wanted(SALES_KEY, SALES)))
    await ledger.settle(other, SALES_KEY, SALES, "recorded as it is in the workspace")
    rows = await connection.fetch(
        "SELECT entity_id, operation, change_reason, old_values ->> 'comment' AS comment FROM deltashare.audit_trail "
        "WHERE entity_type = 'share' ORDER BY entity_version"
    )
    assert [tuple(row)[1:] for row in rows] == [
        ("CREATE", "as found", None),
        ("DELETE", "let go: declared elsewhere now", "Q1"),
        ("RESTORE", "recorded as it is in the workspace", None),
    ]
    assert len({row["entity_id"] for row in rows}) == 1
    assert [version.pack for version in await ledger.history(SALES_KEY)] == [PACK, PACK, OTHER_PACK]


async def test_what_a_line_lends_and_does_about_drift_is_on_record(
    ledger: PostgresLedger, connection: asyncpg.Connection
) -> None:
    platform = Tenant("Legal", {}, lends_to=frozenset({"sales operations", "*"}), drift=DriftPolicy.REPORT)
    for tenant in (platform, platform, Tenant("Legal", {})):
        orders = [replace(an_order(THIRD_PACK), tenant=tenant), an_order(PACK)]
        await ledger.submit(a_plan(), orders)
    rows = await connection.fetch(
        "SELECT business_line, lends_recipients_to, drift FROM deltashare.tenants ORDER BY business_line, version"
    )
    assert [tuple(row) for row in rows] == [
        ("Legal", '["*", "sales operations"]', "report"),
        ("Legal", None, None),
        ("Sales Operations", None, None),
    ]


def test_the_samples_set_every_field() -> None:
    for resource in (RECIPIENT, SHARE, *CLEARED):
        assert UNMANAGED not in [getattr(resource, field.name) for field in fields(resource)]
