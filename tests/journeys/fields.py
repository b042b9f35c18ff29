"""Every field of a share, an object and a recipient, as data: what a pack says first, then, and to clear it, and what
somebody does to it by hand. The sandbox's answers come back in the pack's own words, by way of the SDK alone."""

import asyncio
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import yaml
from databricks.sdk.service.sharing import (
    Partition,
    PartitionValue,
    PartitionValueOp,
    RecipientInfo,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectHistoryDataSharingStatus,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)

from reconciler.core.changes import Cause, ElementAdded, ElementRemoved
from reconciler.core.plan import Plan, Step
from reconciler.core.verdict import Update
from reconciler.sandbox import ControlClient

Entry: TypeAlias = Mapping[str, Any]

ENABLED: Final = SharedDataObjectHistoryDataSharingStatus.ENABLED
DISABLED: Final = SharedDataObjectHistoryDataSharingStatus.DISABLED
ADD, REMOVE, UPDATE = (SharedDataObjectUpdateAction[name] for name in ("ADD", "REMOVE", "UPDATE"))
#: Of the process.
_TODAY: Final = datetime.now(UTC).date()
TABLE_LIKE: Final = {"TABLE", "VIEW", "MATERIALIZED_VIEW", "STREAMING_TABLE", "FOREIGN_TABLE"}

#: The caller is in two groups that can own what it makes and read all there is; one metastore to share with.
SEED: Final = """\
principals:
  sharepack@sandbox.example:
    token: dapi-sandbox-admin
    admin: true
    groups: [sharing-team, sharing-desk]
catalogs:
  main:
    .grants:
      sharing-team: [ALL_PRIVILEGES]
      sharing-desk: [ALL_PRIVILEGES]
    sales:
      .volumes: [papers]
      .functions: [mask, features]
      .models: [churn]
      orders: {columns: "id bigint, region string, sold_on date", partitions: [region, sold_on], version: 20}
      refunds: id bigint
      returns: id bigint
      by_region: {type: VIEW, columns: region string, definition: select region from main.sales.orders}
      daily: {type: MATERIALIZED_VIEW, columns: id bigint}
      live: {type: STREAMING_TABLE, columns: id bigint}
    whole:
      one: id bigint
  erp:
    .type: FOREIGN_CATALOG
    .grants:
      sharing-team: [ALL_PRIVILEGES]
    finance:
      ledger: {type: FOREIGN, columns: id bigint}
"""

SOURCES: Final = {
    "TABLE": "main.sales.orders",
    "VIEW": "main.sales.by_region",
    "MATERIALIZED_VIEW": "main.sales.daily",
    "STREAMING_TABLE": "main.sales.live",
    "FOREIGN_TABLE": "erp.finance.ledger",
    "SCHEMA": "main.whole",
    "VOLUME": "main.sales.papers",
    "MODEL": "main.sales.churn",
    "FUNCTION": "main.sales.mask",
    "NOTEBOOK_FILE": "getting-started",
    "FEATURE_SPEC": "main.sales.features",
}
#: A type that the catalog cannot tell.
SAID_ONLY: Final = {"NOTEBOOK_FILE", "FEATURE_SPEC"}
NOTEBOOKS: Final = {"notebooks/first.py": "# one\n", "notebooks/second.py": "# two\n"}


def pack(project: str, *, recipient: Sequence[Entry] = (), share: Sequence[Entry] = (), **more: object) -> str:
    metadata = {"requestor": "ann@example.com", "project_name": project, "business_line": "Sales"}
    document = {"metadata": metadata, "recipient": list(recipient), "share": list(share), **more}
    return yaml.dump(document, Dumper=getattr(yaml, "CSafeDumper", yaml.SafeDumper), sort_keys=False)


@dataclass(frozen=True, slots=True)
class Case:
    """One field of one kind of thing; each case has a share or a recipient of its own."""

    #: The type of the object, or that of the recipient, or "share".
    kind: str
    label: str
    first: Entry
    second: Entry
    #: What somebody asks the SDK for, in its words.
    by_hand: Mapping[str, Any]
    #: None: there is no such state.
    cleared: Entry | None = None

    @property
    def name(self) -> str:
        return f"{self.kind}-{self.label}".lower().replace("_", "-")

    def entry(self, fields: Entry) -> Entry:
        """A share with one object, and these fields of it."""
        item = {"name": SOURCES[self.kind], "type": self.kind}
        if self.kind == "NOTEBOOK_FILE":
            item["content"] = "notebooks/first.py"
        return {"name": self.name, "data_objects": [{**item, **fields}]}


def _where(column: str, value: str | None = None, op: PartitionValueOp = PartitionValueOp.EQUAL) -> Partition:
    return Partition([PartitionValue(name=column, op=op, value=value)])


def _object_cases() -> list[Case]:
    cases = [
        Case(kind, "comment", {"comment": "one"}, {"comment": "two"}, {"comment": "by hand"}, {"comment": ""})
        for kind in SOURCES
    ]
    for kind in SOURCES.keys() - {"SCHEMA", "NOTEBOOK_FILE"}:
        alias = "shared_as" if kind in TABLE_LIKE else "string_shared_as"
        cases.append(Case(kind, "alias", {"shared_as": "out.one"}, {"shared_as": "out.two"}, {alias: "out.hand"}))
    cases += [
        Case(kind, "history", {"history": True}, {"history": False}, {"history_data_sharing_status": DISABLED})
        for kind in ("TABLE", "SCHEMA")
    ]
    return [*cases, *_TABLE_CASES, *_NOTEBOOK_CASES]


_TABLE_CASES: Final = [
    Case(
        "TABLE",
        "partitions",
        {"partitions": ["region = 'EMEA' AND sold_on LIKE '2026%'", "region = recipient.country"]},
        {"partitions": ["region IS NULL"]},
        {"partitions": [_where("region", "US")]},
        {"partitions": []},
    ),
    Case("TABLE", "cdf", {"cdf": True}, {"cdf": False}, {"cdf_enabled": False}),
    Case("TABLE", "start-version", {"start_version": 3}, {"start_version": 7}, {"start_version": 9}),
    Case(
        "TABLE",
        "history-to-cdf",
        {"history": True},
        {"history": False, "cdf": True},
        {"history_data_sharing_status": DISABLED},
    ),
    Case(
        "TABLE",
        "everything",
        {
            "shared_as": "out.all",
            "comment": "one",
            "partitions": ["region = 'EMEA'"],
            "history": True,
            "start_version": 3,
        },
        {
            "shared_as": "out.all",
            "comment": "two",
            "partitions": ["region LIKE 'E%'"],
            "history": False,
            "start_version": 4,
        },
        {"comment": "by hand"},
        {"shared_as": "out.all", "comment": "", "partitions": [], "history": False, "start_version": 4},
    ),
]
_NOTEBOOK_CASES: Final = [
    Case(
        "NOTEBOOK_FILE",
        "alias",
        {"shared_as": "Start Here.py"},
        {"shared_as": "Read Me.py"},
        {"string_shared_as": "hand.py"},
    ),
    # What was done to a notebook by hand Databricks does not show: see the test of that name.
    Case("NOTEBOOK_FILE", "content", {}, {"content": "notebooks/second.py"}, {"comment": "its content"}),
]
OBJECT_CASES: Final = {case.name: case for case in _object_cases()}


def sdk_object(kind: str, **fields: Any) -> SharedDataObject:
    return SharedDataObject(SOURCES[kind], data_object_type=SharedDataObjectDataObjectType[kind], **fields)


def change_object_by_hand(sdk: Any, case: Case) -> None:
    """An alias cannot be changed in place: the object goes and comes again (contract 4.4)."""
    changed = sdk_object(case.kind, **case.by_hand)
    if {"shared_as", "string_shared_as"} & case.by_hand.keys():
        changed.content = "IyBoYW5kCg==" if case.kind == "NOTEBOOK_FILE" else None
        sdk.shares.update(case.name, updates=[SharedDataObjectUpdate(REMOVE, sdk_object(case.kind))])
        sdk.shares.update(case.name, updates=[SharedDataObjectUpdate(ADD, changed)])
    else:
        (held,) = sdk.shares.get(case.name, include_shared_data=True).objects
        changed.shared_as, changed.string_shared_as = held.shared_as, held.string_shared_as
        if case.kind == "SCHEMA":
            changed.string_shared_as = None
        sdk.shares.update(case.name, updates=[SharedDataObjectUpdate(UPDATE, changed)])


def shared_objects(sdk: Any, share: str) -> dict[str, Entry]:
    """The objects of a share as a pack would say them, by name."""
    objects = sdk.shares.get(share, include_shared_data=True).objects or ()
    return {item.name: _as_written(item) for item in objects}


def _as_written(item: SharedDataObject) -> Entry:
    return {
        "name": item.name,
        "type": item.data_object_type.value if item.data_object_type else "",
        "shared_as": item.shared_as or item.string_shared_as,
        "comment": item.comment or "",
        "partitions": sorted(map(_partition_as_written, item.partitions or ())),
        "history": item.history_data_sharing_status is ENABLED,
        "cdf": bool(item.cdf_enabled),
        "start_version": item.start_version,
    }


def _partition_as_written(partition: Partition) -> str:
    words = []
    for each in partition.values or ():
        operator = "LIKE" if each.op is PartitionValueOp.LIKE else "="
        if each.recipient_property_key:
            words.append(f"{each.name} {operator} recipient.{each.recipient_property_key}")
        else:
            words.append(f"{each.name} IS NULL" if each.value is None else f"{each.name} {operator} '{each.value}'")
    return " AND ".join(sorted(words))


def differences(wanted: Entry, found: Entry) -> list[str]:
    """What of the pack's words the sandbox does not say; a notebook's content it never tells."""
    normal = {name: sorted(value, key=str) if isinstance(value, list) else value for name, value in wanted.items()}
    return [
        f"{name}: {found.get(name)!r} is not {value!r}"
        for name, value in normal.items()
        if name != "content" and found.get(name) != value
    ]


def recipient_as_written(sdk: Any, info: RecipientInfo) -> Entry:
    properties = (info.properties_kvpairs.properties if info.properties_kvpairs else None) or {}
    addresses = (info.ip_access_list.allowed_ip_addresses if info.ip_access_list else None) or []
    said: dict[str, Any] = {
        "name": info.name,
        "comment": info.comment or "",
        "owner": info.owner,
        "properties": {name: value for name, value in properties.items() if not name.startswith("databricks.")},
        "allowed_ips": sorted(addresses),
        "expires_at": None if info.expiration_time is None else day_text(info.expiration_time),
        "metastore_id": info.data_recipient_global_metastore_id,
    }
    if info.authentication_type and info.authentication_type.value == "OIDC_FEDERATION":
        said["federation_policies"] = [
            {
                "name": policy.name,
                "issuer": policy.oidc_policy.issuer,
                "subject_claim": policy.oidc_policy.subject_claim,
                "subject": policy.oidc_policy.subject,
                **({"audiences": sorted(policy.oidc_policy.audiences)} if policy.oidc_policy.audiences else {}),
                **({"comment": policy.comment} if policy.comment else {}),
            }
            for policy in sorted(sdk.recipient_federation_policies.list(info.name), key=lambda each: each.name)
        ]
    return said


def day_text(milliseconds: int) -> str:
    return datetime.fromtimestamp(milliseconds / 1000, UTC).strftime("%Y-%m-%d")


def in_days(days: int) -> str:
    """Days after the one on which the process began: what is declared and what is expected are of one midnight."""
    return str(_TODAY + timedelta(days=days))


def assert_nothing_to_do(plan: Plan) -> None:
    assert not plan.problems, plan.problems
    assert not plan.is_held, [(str(step.key), step.objections) for step in plan.steps if step.is_held]
    assert not plan.has_changes, [(str(step.key), step.verdict) for step in plan.steps if step.is_work]


def open_steps(plan: Plan) -> dict[str, Step]:
    """What would be done, or is held, by the name of the resource."""
    return {step.key.name: step for step in plan.steps if step.is_work or step.is_held}


def cause(step: Step) -> Cause | None:
    return step.verdict.cause if isinstance(step.verdict, Update) else None


def told(step: Step) -> list[str]:
    """The changes of an update in a line each, sorted."""
    assert isinstance(step.verdict, Update), step
    words = []
    for change in step.verdict.changes:
        match change:
            case ElementAdded(name, element):
                words.append(f"{name} + {element}")
            case ElementRemoved(name, element):
                words.append(f"{name} - {element}")
            case _:
                words.append(f"{change.field} = {getattr(change, 'after', '')}")
    return sorted(words)


@dataclass(slots=True)
class SandboxClock:
    """The sandbox's time, which a test moves on; the product is given the same."""

    control: ControlClient
    _ahead: float = field(default=0.0)

    def advance(self, *, days: float = 0, seconds: float = 0) -> None:
        self._ahead += days * 86_400 + seconds
        self.control.advance_clock(days * 86_400 + seconds)

    def time(self) -> float:
        return time.time() + self._ahead

    def now(self) -> datetime:
        return datetime.fromtimestamp(self.time(), UTC)

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)
