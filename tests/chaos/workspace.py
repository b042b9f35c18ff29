"""The Databricks side of a chaos run, through the SDK and never through the product: hands that change things, and the
look at what is there in the end. What belongs to nobody is remembered as it was made."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from random import Random
from typing import Any, Final

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors.base import DatabricksError
from databricks.sdk.service.sharing import (
    AuthenticationType,
    PermissionsChange,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)

from reconciler.sandbox import ControlClient
from tests.chaos.landscape import HAND_TOKEN, TABLES

FOREIGN: Final = "foreign"
ADD, REMOVE = SharedDataObjectUpdateAction.ADD, SharedDataObjectUpdateAction.REMOVE


@dataclass(slots=True)
class Workspace:
    url: str
    control: ControlClient = field(init=False)
    sdk: Any = field(init=False)
    #: `share/NAME` or `recipient/NAME` → as it was when its maker was done with it.
    foreign: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.control = ControlClient(self.url)
        self.sdk = WorkspaceClient(config=Config(host=self.url, token=HAND_TOKEN, retry_timeout_seconds=1))

    def by_hand(self, chance: Random) -> str:
        """One edit by hand; answers what was done, empty when there was nothing to do it to. Hands are not spared the
        faults either: an edit that fails is told so."""
        names, weights = zip(*((name, weight) for name, (_, weight) in EDITS.items()), strict=True)
        name = chance.choices(names, weights)[0]
        try:
            words = EDITS[name][0](self, chance)
        except (DatabricksError, TimeoutError, OSError) as error:
            words = f"failed, {type(error).__name__}"
        self.foreign = {**self.strangers(), **self.foreign}
        return f"{name}: {words}" if words else ""

    def delete(self, key: str) -> None:
        """By hand, as a plan advises."""
        kind, _, name = key.partition("/")
        (self.sdk.shares if kind == "share" else self.sdk.recipients).delete(name)

    def strangers(self) -> dict[str, Any]:
        """All that is foreign, as it is. The control surface knows no faults; whether it says empty lists is a knob."""
        state = self.control.state()
        kinds = {"recipient": state["recipients"], "share": state["shares"]}
        return {
            f"{kind}/{item['name']}": {name: value for name, value in item.items() if value != []}
            for kind, items in kinds.items()
            for item in items
            if item["name"].startswith(FOREIGN)
        }

    def now(self) -> Mapping[str, Mapping[str, Any]]:
        """Everything there is, by `share/NAME` and `recipient/NAME`, in the words of pack files."""
        found: dict[str, Mapping[str, Any]] = {}
        for info in self.sdk.recipients.list():
            found[f"recipient/{info.name}"] = _recipient(info)
        for each in self.sdk.shares.list_shares():
            info = self.sdk.shares.get(each.name, include_shared_data=True)
            grants = self.sdk.shares.share_permissions(each.name).privilege_assignments or ()
            found[f"share/{info.name}"] = _share(info, grants)
        return found

    def ours(self, kind: str) -> list[str]:
        state = self.control.state()[f"{kind}s"]
        return sorted(item["name"] for item in state if not item["name"].startswith(FOREIGN))


def _recipient(info: Any) -> Mapping[str, Any]:
    held = info.properties_kvpairs.properties if info.properties_kvpairs else None
    return {
        "type": "D2D" if info.authentication_type is AuthenticationType.DATABRICKS else "D2O",
        "metastore_id": info.data_recipient_global_metastore_id or "",
        "comment": info.comment or "",
        "allowed_ips": sorted((info.ip_access_list.allowed_ip_addresses if info.ip_access_list else None) or ()),
        "properties": {name: text for name, text in (held or {}).items() if not name.startswith("databricks.")},
    }


def _share(info: Any, grants: Any) -> Mapping[str, Any]:
    return {
        "comment": info.comment or "",
        "data_objects": {item.name: item.comment or "" for item in info.objects or ()},
        "recipients": sorted(grant.principal for grant in grants),
    }


def _add_stranger(workspace: Workspace, chance: Random) -> str:
    """A recipient or a share that is nobody's business but its maker's."""
    kind, name = chance.choice(("recipient", "share")), f"{FOREIGN}-{len(workspace.foreign)}"
    if len(workspace.foreign) > 8:
        return ""
    if kind == "recipient":
        workspace.sdk.recipients.create(name, AuthenticationType.TOKEN, comment="made by hand")
    else:
        workspace.sdk.shares.create(name, comment="made by hand")
        workspace.sdk.shares.update(name, updates=[_table(ADD, chance.choice(TABLES))])
    return name


def _grant(workspace: Workspace, chance: Random) -> str:
    state = workspace.control.state()
    return _permit(workspace, chance, [item["name"] for item in state["recipients"]], "add")


def _revoke(workspace: Workspace, chance: Random) -> str:
    return _permit(workspace, chance, [], "remove")


def _permit(workspace: Workspace, chance: Random, readers: list[str], verb: str) -> str:
    shares = workspace.ours("share")
    if not shares:
        return ""
    share = chance.choice(shares)
    grants = workspace.sdk.shares.share_permissions(share).privilege_assignments or ()
    held = {grant.principal for grant in grants}
    choice = sorted(set(readers) - held if verb == "add" else held)
    if not choice:
        return ""
    reader = chance.choice(choice)
    permit = PermissionsChange(principal=reader, **{verb: ["SELECT"]})
    workspace.sdk.shares.update_permissions(share, changes=[permit])
    return f"{share}, {reader}"


def _add_object(workspace: Workspace, chance: Random) -> str:
    return _change_objects(workspace, chance, ADD)


def _remove_object(workspace: Workspace, chance: Random) -> str:
    return _change_objects(workspace, chance, REMOVE)


def _change_objects(workspace: Workspace, chance: Random, action: SharedDataObjectUpdateAction) -> str:
    shares = workspace.ours("share")
    if not shares:
        return ""
    share = chance.choice(shares)
    held = {item.name for item in workspace.sdk.shares.get(share, include_shared_data=True).objects or ()}
    choice = sorted(set(TABLES) - held if action is ADD else held)
    if not choice:
        return ""
    name = chance.choice(choice)
    workspace.sdk.shares.update(share, updates=[_table(action, name)])
    return f"{share}, {name}"


def _comment_share(workspace: Workspace, chance: Random) -> str:
    shares = workspace.ours("share")
    if not shares:
        return ""
    share = chance.choice(shares)
    workspace.sdk.shares.update(share, comment=f"by hand {chance.randrange(10_000)}")
    return share


def _comment_recipient(workspace: Workspace, chance: Random) -> str:
    recipients = workspace.ours("recipient")
    if not recipients:
        return ""
    name = chance.choice(recipients)
    workspace.sdk.recipients.update(name, comment=f"by hand {chance.randrange(10_000)}")
    return name


def _delete_share(workspace: Workspace, chance: Random) -> str:
    shares = workspace.ours("share")
    if not shares:
        return ""
    share = chance.choice(shares)
    workspace.sdk.shares.delete(share)
    return share


def _delete_recipient(workspace: Workspace, chance: Random) -> str:
    recipients = workspace.ours("recipient")
    if not recipients:
        return ""
    name = chance.choice(recipients)
    workspace.sdk.recipients.delete(name)
    return name


def _table(action: SharedDataObjectUpdateAction, name: str) -> SharedDataObjectUpdate:
    table = SharedDataObject(name, data_object_type=SharedDataObjectDataObjectType.TABLE)
    return SharedDataObjectUpdate(action, table)


#: With how often each is drawn.
EDITS: Final[Mapping[str, tuple[Callable[[Workspace, Random], str], int]]] = {
    "make something foreign": (_add_stranger, 2),
    "grant by hand": (_grant, 4),
    "revoke by hand": (_revoke, 4),
    "add object by hand": (_add_object, 3),
    "remove object by hand": (_remove_object, 4),
    "comment a share by hand": (_comment_share, 3),
    "comment a recipient by hand": (_comment_recipient, 3),
    "delete share by hand": (_delete_share, 2),
    "delete recipient by hand": (_delete_recipient, 1),
}
