"""The scenes of the journey: what Git said before, what it says now, and what Databricks is to hold afterwards, in
words of its own. Each scene is one commit."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, TypeAlias

import yaml

Held: TypeAlias = Mapping[str, Any]

METASTORE: Final = "aws:us-west-2:c0ffee00-0000-4000-8000-000000000001"


def pack(recipients: Sequence[Held], shares: Sequence[Held], project: str = "Crash") -> str:
    metadata = {"requestor": "ann@example.com", "project_name": project, "business_line": "Sales"}
    document = {"metadata": metadata, "recipient": list(recipients), "share": list(shares)}
    return yaml.safe_dump(document, sort_keys=False)


def partner(name: str = "partner", **fields: Any) -> dict[str, Any]:
    return {"name": name, "type": "D2O", "email": "ann@partner.example", **fields}


def tables(*numbers: int) -> list[str]:
    return [f"main.sales.t{number}" for number in numbers]


def share(name: str, numbers: Sequence[int], recipients: Sequence[str], **fields: Any) -> dict[str, Any]:
    return {"name": name, **fields, "recipients": list(recipients), "data_objects": tables(*numbers)}


def held_recipient(**fields: Any) -> Held:
    return {"type": "TOKEN", "comment": "", "ips": [], "properties": {}, "tokens": 1, **fields}


def held_share(numbers: Sequence[int], recipients: Sequence[str], comment: str = "") -> Held:
    return {"comment": comment, "objects": sorted(tables(*numbers)), "readers": sorted(recipients)}


@dataclass(frozen=True, slots=True)
class Scene:
    name: str
    #: The pack of the first commit; empty: there was none.
    before: str
    after: str
    recipients: Mapping[str, Held] = field(default_factory=dict)
    shares: Mapping[str, Held] = field(default_factory=dict)
    #: Tokens to be replaced, with the overlap in seconds: what a person wishes once.
    rotations: Mapping[str, int] = field(default_factory=dict)
    #: Calls that change something, in the undisturbed run.
    calls: Sequence[str] = ()

    def __str__(self) -> str:
        return self.name


_PAIR: Final = [partner(), partner("second")]

CREATE: Final = Scene(
    "create",
    before="",
    after=pack(
        [partner(allowed_ips=["203.0.113.0/24"]), {"name": "inside", "type": "D2D", "metastore_id": METASTORE}],
        [share("orders", [1, 2], ["partner", "inside"], comment="Orders")],
    ),
    recipients={
        "partner": held_recipient(ips=["203.0.113.0/24"]),
        "inside": held_recipient(type="DATABRICKS", tokens=0),
    },
    shares={"orders": held_share([1, 2], ["partner", "inside"], "Orders")},
    calls=("CreateRecipient", "CreateRecipient", "CreateShare", "UpdateShare", "ChangeGrants"),
)
CHANGE: Final = Scene(
    "update, grant, revoke, remove",
    before=pack(
        _PAIR,
        [
            share("orders", [1, 2, 3], ["partner"], comment="Orders"),
            share("returns", [4, 5], ["partner", "second"]),
            share("refunds", [6], []),
        ],
    ),
    after=pack(
        [
            partner(comment="Ours", allowed_ips=["198.51.100.7", "203.0.113.0/24"], properties={"country": "DE"}),
            partner("second"),
        ],
        [
            share("orders", [1], ["partner"], comment="Orders, newest"),
            share("returns", [4, 5], ["second"]),
            share("refunds", [6], ["second"]),
        ],
    ),
    recipients={
        "partner": held_recipient(comment="Ours", ips=["198.51.100.7", "203.0.113.0/24"], properties={"country": "DE"}),
        "second": held_recipient(),
    },
    shares={
        "orders": held_share([1], ["partner"], "Orders, newest"),
        "returns": held_share([4, 5], ["second"]),
        "refunds": held_share([6], ["second"]),
    },
    calls=("UpdateShare", "ChangeGrants", "UpdateRecipient", "ChangeGrants"),
)
CHUNKS: Final = Scene(
    "chunked update",
    before=pack([partner()], [share("orders", [1], ["partner"])]),
    after=pack([partner()], [share("orders", range(1, 203), ["partner"])]),
    recipients={"partner": held_recipient()},
    shares={"orders": held_share(range(1, 203), ["partner"])},
    calls=("UpdateShare", "UpdateShare", "UpdateShare"),
)
RENAME: Final = Scene(
    "rename",
    before=pack([partner("old-partner")], [share("old_orders", [1, 2], ["old-partner"])]),
    after=pack(
        [partner("new-partner", renamed_from="old-partner")],
        [share("new_orders", [1, 2], ["new-partner"], renamed_from="old_orders")],
    ),
    recipients={"new-partner": held_recipient()},
    shares={"new_orders": held_share([1, 2], ["new-partner"])},
    calls=("Rename", "Rename"),
)
DELETE: Final = Scene(
    "delete",
    before=pack(_PAIR, [share("orders", [1], ["partner", "second"]), share("returns", [2], ["partner"])]),
    after=pack([partner("second")], [share("orders", [1], ["second"])]),
    recipients={"second": held_recipient()},
    shares={"orders": held_share([1], ["second"])},
    calls=("ChangeGrants", "ChangeGrants", "DeleteShare", "DeleteRecipient"),
)
ROTATE: Final = Scene(
    "rotate",
    before=pack([partner()], [share("orders", [1], ["partner"])]),
    after=pack([partner()], [share("orders", [1], ["partner"])]),
    recipients={"partner": held_recipient(tokens=2)},
    shares={"orders": held_share([1], ["partner"])},
    rotations={"partner": 86_400},
    calls=("RotateToken",),
)
#: The old token ends at once, so that nothing is in the way of another rotation.
ROTATE_NOW: Final = replace(
    ROTATE, name="rotate now", rotations={"partner": 0}, recipients={"partner": held_recipient()}
)
SCENES: Final = (CREATE, CHANGE, CHUNKS, RENAME, DELETE, ROTATE)
