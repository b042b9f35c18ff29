"""Plans that use the whole model: every field and verdict, drift told and treated, objections and what lifts them."""

import hashlib
from dataclasses import replace

from reconciler.core.actual import Found, Token
from reconciler.core.key import recipient_key
from reconciler.core.pack import DriftPolicy
from reconciler.core.plan import Degraded, Plan
from reconciler.core.recipient import FederationPolicy, OidcSharing, Recipient, SubjectClaim, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from tests.render.plans import METASTORE, NOW, PARTNER, SALES, WORKSPACE, Scene, plan_of, table

DAY = 86_400
BY_HAND = Found(PARTNER, owner="data-owners", updated_by="eve@example.com", updated_at=NOW - 3 * DAY * 1000)
SOURCE = b"# Databricks notebook source\nprint('nobody may see this in a plan')\n"

POLICY = FederationPolicy(
    "finance-app", "https://login.example/t1/v2.0", SubjectClaim.AZP, "app-1", frozenset({"a2", "a1"}), "their app"
)
OIDC = Recipient("oidc-partner", OidcSharing(), policies=frozenset({POLICY}), properties=frozenset({("home", "EMEA")}))
WHOLE = replace(
    PARTNER,
    owner="data-owners",
    properties=frozenset({("home", "EMEA"), ("tier", "2")}),
    expires_at=NOW + 200 * DAY * 1000,
    token_lifetime=365 * DAY,
    rotate_every=90 * DAY,
    rotation_overlap=36 * 3_600,
    protect=True,
)
ORDERS = SharedObject(
    "prod_catalog.sales.orders",
    ObjectType.TABLE,
    shared_as="public.orders",
    comment="EMEA's orders",
    partitions=frozenset(
        {frozenset({Condition("region", value="EMEA")}), frozenset({Condition("org", recipient_property="home")})}
    ),
    history=False,
    cdf=True,
    start_version=7,
)
NOTEBOOK = SharedObject(
    "guide.py",
    ObjectType.NOTEBOOK_FILE,
    shared_as="guide.py",
    content=NotebookContent(hashlib.sha256(SOURCE).hexdigest(), SOURCE),
)
EVERYTHING = Share(
    "everything_share",
    "All there is",
    frozenset(
        {
            ORDERS,
            NOTEBOOK,
            SharedObject("prod_catalog.sales.history", ObjectType.TABLE, history=True),
            SharedObject("prod_catalog.sales.invoices", ObjectType.VOLUME, shared_as="sales.bills"),
            SharedObject("prod_catalog.sales.churn", ObjectType.MODEL),
        }
    ),
    frozenset({"oidc-partner", "sales-analyst"}),
    owner="data-owners",
    storage_root="abfss://share@example.dfs.core.windows.net/",
    protect=True,
)
_ORDERS_BEFORE = replace(ORDERS, comment="", partitions=frozenset(), history=True, cdf=False, start_version=3)
_NOTEBOOK_BEFORE = replace(NOTEBOOK, content=NotebookContent(hashlib.sha256(b"old").hexdigest()))
_EVERYTHING_BEFORE = replace(
    EVERYTHING,
    objects=frozenset({_ORDERS_BEFORE, _NOTEBOOK_BEFORE, replace(ORDERS, shared_as="public.gone")}),
    owner="ann@example.com",
    protect=False,
)
_WHOLE_BEFORE = replace(
    WHOLE,
    owner="ann@example.com",
    properties=frozenset({("home", "APAC"), ("old", "1")}),
    expires_at=NOW + 300 * DAY * 1000,
    protect=False,
)
_OIDC_BEFORE = replace(OIDC, policies=frozenset({replace(POLICY, subject="app-0")}))
_TOKENS = Found(
    _WHOLE_BEFORE, tokens=(Token("token-1", NOW - 100 * DAY * 1000, NOW + 300 * DAY * 1000),), owner="ann@example.com"
)


def _actual(recipient: Recipient) -> Recipient:
    """Without what Databricks has no place for."""
    return replace(
        recipient,
        allowed_ips=recipient.allowed_ips or frozenset(),
        protect=False,
    )


def whole_scenes() -> dict[str, Plan]:
    return {
        "every_field": plan_of(Scene([WHOLE, OIDC, METASTORE, EVERYTHING])),
        "every_change": plan_of(
            Scene(
                [WHOLE, OIDC, EVERYTHING],
                [_WHOLE_BEFORE, _OIDC_BEFORE, _EVERYTHING_BEFORE],
                [_WHOLE_BEFORE, _OIDC_BEFORE, _EVERYTHING_BEFORE],
                told={"sales-analyst": _TOKENS},
            )
        ),
        "names_and_kinds": _names_and_kinds(),
        "drifted": _drifted(DriftPolicy.CORRECT),
        "reported": _drifted(DriftPolicy.REPORT),
        "degraded": _degraded(),
        "objected": _objected(frozenset()),
        "lifted": _objected(frozenset({"replace:recipient/oidc-partner", "open-ips:recipient/sales-analyst"})),
        "adopted": _adopted(),
    }


def _names_and_kinds() -> Plan:
    """Renamed, replaced and let go of."""
    old_share, old_recipient = replace(SALES, name="old_share"), replace(PARTNER, name="old-analyst")
    kept = replace(SALES, name="kept_share", recipients=frozenset())
    return plan_of(
        Scene(
            [PARTNER, replace(OIDC, authentication=TokenSharing(), policies=frozenset()), SALES],
            [old_recipient, OIDC, replace(old_share, recipients=frozenset({"old-analyst"})), METASTORE],
            [old_recipient, OIDC, replace(old_share, recipients=frozenset({"old-analyst"})), METASTORE, kept],
            renamed_from={"sales-analyst": "old-analyst", "sales_q1_share": "old_share"},
            released=frozenset({recipient_key("emea-lake", WORKSPACE)}),
            allowed=frozenset({"replace:recipient/oidc-partner"}),
        )
    )


def _drifted(policy: DriftPolicy) -> Plan:
    partner = replace(
        PARTNER,
        comment="eve was here, and she wrote a comment that is too long for one line beside two others",
        allowed_ips=frozenset({"192.168.1.0/24", "203.0.113.0/24"}),
    )
    objects = frozenset({replace(ORDERS, comment="changed", start_version=9), table("prod_catalog.sales.secret")})
    share = Share("sales_q1_share", "Q1 sales data", frozenset({ORDERS, table("prod_catalog.sales.customers")}))
    readers = frozenset({"sales-analyst"})
    return plan_of(
        Scene(
            [PARTNER, OIDC, replace(share, recipients=readers)],
            [PARTNER, OIDC, replace(share, recipients=readers)],
            [partner, replace(share, objects=objects, recipients=readers | {"stranger-x"})],
            drift=policy,
            told={"sales-analyst": BY_HAND, "sales_q1_share": replace(BY_HAND, updated_by="", resource=share)},
        )
    )


def _degraded() -> Plan:
    other = replace(SALES, name="other_share")
    before: list[Resource] = [PARTNER, SALES, other]
    plan = plan_of(Scene([PARTNER, SALES, replace(other, comment="new words")], before, before))
    lost = {
        "sales_q1_share": (
            Degraded("prod_catalog.sales.customers", "svc-sharing", "SELECT on TABLE prod_catalog.sales.customers"),
            Degraded("prod_catalog.sales.transactions", "svc-sharing"),
        ),
        "other_share": (Degraded("prod_catalog.sales.customers", "", "USE SCHEMA on SCHEMA prod_catalog.sales"),),
    }
    (pack,) = plan.packs
    steps = tuple(replace(step, degraded=lost.get(step.key.name, ())) for step in pack.steps)
    return replace(plan, packs=(replace(pack, steps=steps),))


def _objected(allowed: frozenset[str]) -> Plan:
    opened = replace(PARTNER, allowed_ips=frozenset())
    token = replace(OIDC, authentication=TokenSharing(), policies=frozenset())
    return plan_of(Scene([opened, token], [PARTNER, OIDC], [PARTNER, OIDC], allowed=allowed))


def _adopted() -> Plan:
    theirs = replace(SALES, comment="theirs", recipients=frozenset({"somebody"}))
    return plan_of(
        Scene(
            [PARTNER, SALES, replace(SALES, name="same_share"), replace(SALES, name="mine_share")],
            [replace(PARTNER, email="old@partner.com")],
            [PARTNER, theirs, replace(SALES, name="same_share"), replace(theirs, name="mine_share")],
            adopt=frozenset({"mine_share"}),
            told={"sales_q1_share": replace(BY_HAND, resource=theirs)},
        )
    )
