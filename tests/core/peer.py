"""The cases of another tool for the same API, as core values: its current and desired states, and what its requests
come to. Says nothing about which of the two is right."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from reconciler.core.calls import (
    Call,
    ChangeGrants,
    ChangeOwner,
    CreateRecipient,
    CreateShare,
    DeleteRecipient,
    Rename,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.key import normal_name
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import Authentication, DatabricksSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.share import Condition, ObjectType, Share, SharedObject

Case = Mapping[str, Any]


def full_name(name: str, kind: str) -> str:
    """The peer's tests shorten names to one or two parts; here every name is whole."""
    parts = name.split(".")
    missing = (2 if kind == "SCHEMA" else 3) - len(parts)
    return ".".join([*("cat", name)[:missing], *parts]) if missing > 0 else name


def an_object(value: Case) -> SharedObject:
    kind = value.get("data_object_type", "TABLE")
    partitions = value.get("partitions")
    return SharedObject(
        full_name(value["name"], kind),
        ObjectType(kind),
        value.get("shared_as", UNMANAGED),
        value.get("comment", UNMANAGED),
        UNMANAGED if partitions is None else frozenset(map(_partition, partitions)),
        _history(value.get("history_data_sharing_status")),
        value.get("cdf_enabled", UNMANAGED),
    )


def _partition(value: Case) -> frozenset[Condition]:
    return frozenset(Condition(each.get("name", "part"), value=each["value"]) for each in value["values"])


def _history(status: str | None) -> Managed[bool]:
    return UNMANAGED if status is None else status == "ENABLED"


def a_share(value: Case) -> Share:
    objects = value.get("objects")
    return Share(
        value.get("name", "s"),
        _text(value, "comment"),
        UNMANAGED if objects is None else frozenset(map(an_object, objects)),
        _readers(value),
        _text(value, "owner"),
    )


def _readers(value: Case) -> Managed[frozenset[str]]:
    """Those that hold any privilege. A resource of the peer for one principal may leave it none."""
    granted = value.get("grants", value.get("privilege_assignments"))
    if granted is None and "principal" in value:
        return frozenset({normal_name(value["principal"])}) if value.get("privileges", True) else UNMANAGED
    return UNMANAGED if granted is None else frozenset(normal_name(each["principal"]) for each in granted)


def a_recipient(value: Case) -> Recipient:
    metastore = value.get("data_recipient_global_metastore_id")
    authentication: Authentication = TokenSharing() if metastore is None else DatabricksSharing(metastore)
    listed = value.get("ip_access_list")
    return Recipient(
        value["name"],
        authentication,
        allowed_ips=UNMANAGED if listed is None else frozenset(listed["allowed_ip_addresses"]),
        comment=_text(value, "comment"),
        owner=_text(value, "owner"),
    )


def _text(value: Case, name: str) -> Managed[str]:
    return UNMANAGED if value.get(name) is None else value[name]


def states(case: Case) -> tuple[Resource | None, Resource | None]:
    """What is there, and what is wanted; None: nothing."""
    make = a_recipient if case["kind"] == "recipient" else a_share
    current, desired = case["current"], case["desired"]
    there = None if current is None else make(current)
    if there is None and "prior_state" in case:
        there = make(case["prior_state"])
    wanted = None if desired is None else make(desired)
    if isinstance(there, Share) and isinstance(wanted, Share) and wanted.recipients is UNMANAGED:
        wanted = _without_principal(there, wanted, desired)
    return there, wanted


def _without_principal(there: Share, wanted: Share, desired: Case) -> Share:
    if "principal" not in desired or not isinstance(there.recipients, frozenset):
        return wanted
    return replace(wanted, recipients=there.recipients - {normal_name(desired["principal"])})


@dataclass
class Effect:
    """What requests come to, whichever way they are cut."""

    created: str = ""
    deleted: str = ""
    #: Fields sent, with what they are set to.
    fields: dict[str, object] = field(default_factory=dict)
    #: What is done with which object, and what it is to be: only what is sent.
    objects: dict[tuple[str, str], dict[str, object]] = field(default_factory=dict)
    grants: set[tuple[str, str]] = field(default_factory=set)


def asked_for(case: Case) -> Effect:
    """By the peer's requests."""
    effect = Effect()
    for request in case["expected_requests"]:
        if request["method"] == "GET":
            continue
        if request["method"] == "DELETE":
            effect.deleted = request["path"].rpartition("/")[2]
            continue
        body = dict(request["body"])
        if request["method"] == "POST":
            effect.created = body.pop("name")
        for update in body.pop("updates", ()):
            sent = dict(update["data_object"])
            name = full_name(sent.pop("name"), sent.pop("data_object_type"))
            effect.objects[update["action"], name] = {} if update["action"] == "REMOVE" else sent
        for change in body.pop("changes", ()):
            effect.grants |= {(verb, change["principal"]) for verb in ("add", "remove") if change.get(verb)}
        effect.fields |= body
    return effect


def done_by(calls: Iterator[Call] | tuple[Call, ...]) -> Effect:
    """By ours, in the words of the API."""
    effect = Effect()
    for call in calls:
        match call:
            case CreateRecipient(key) | CreateShare(key):
                effect.created = key.name
            case DeleteRecipient(key):
                effect.deleted = key.name
            case ChangeOwner(_, owner):
                effect.fields["owner"] = owner
            case ChangeGrants(_, grant, revoke):
                effect.grants |= {("add", name) for name in grant} | {("remove", name) for name in revoke}
            case UpdateShare(_, _, _, remove, add, change):
                effect.objects |= {("REMOVE", item.name): {} for item in remove}
                effect.objects |= {("ADD", item.name): _sent(item) for item in add}
                effect.objects |= {("UPDATE", item.name): _sent(item) for item in change}
            case _:
                pass
        effect.fields |= _fields(call)
    return effect


def _fields(call: Call) -> dict[str, object]:
    """What a call sets besides."""
    fields: dict[str, object] = {}
    comment = getattr(call, "comment", UNMANAGED)
    if comment is not UNMANAGED:
        fields["comment"] = comment
    if isinstance(call, CreateRecipient | UpdateRecipient) and call.allowed_ips is not UNMANAGED:
        fields["ip_access_list"] = {"allowed_ip_addresses": list(call.allowed_ips)}
    if isinstance(call, CreateRecipient):
        d2d = call.authentication if isinstance(call.authentication, DatabricksSharing) else None
        fields["authentication_type"] = "TOKEN" if d2d is None else "DATABRICKS"
        if d2d is not None:
            fields["data_recipient_global_metastore_id"] = d2d.metastore_id
    return fields


def _sent(item: SharedObject) -> dict[str, object]:
    said = {
        "shared_as": item.shared_as,
        "comment": item.comment,
        "cdf_enabled": item.cdf,
        "history_data_sharing_status": UNMANAGED
        if item.history is UNMANAGED
        else "ENABLED"
        if item.history
        else "DISABLED",
    }
    return {name: value for name, value in said.items() if value is not UNMANAGED}


def words(call: Call) -> list[str]:
    """One call, as a case whose outcome differs writes it down."""
    told: list[str] = []
    match call:
        case CreateRecipient(_, authentication):
            told = [f"create recipient {authentication}"]
        case CreateShare():
            told = ["create share"]
        case DeleteRecipient():
            told = ["delete"]
        case ChangeOwner(_, owner):
            told = [f"owner {owner}"]
        case Rename(_, old_name):
            told = [f"rename {old_name}"]
        case ChangeGrants(_, grant, revoke):
            told = [*(f"revoke {name}" for name in revoke), *(f"grant {name}" for name in grant)]
        case UpdateShare(_, _, _, remove, add, change):
            told = [f"remove {item.name}" for item in remove]
            told += [f"change {item.name}" for item in change] + [f"add {item.name}" for item in add]
        case _:
            pass
    fields = _fields(call)
    if "comment" in fields:
        told.append(f"comment {fields['comment']}")
    listed = getattr(call, "allowed_ips", UNMANAGED)
    return told if listed is UNMANAGED else [*told, f"addresses {' '.join(listed)}"]
