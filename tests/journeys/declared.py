"""Packs for journeys, made from their entries. They are written as JSON, which is YAML."""

import json
from collections.abc import Sequence
from typing import Any

#: Of the sandbox's own cloud, and not its own metastore.
METASTORE = "azure:westeurope:11111111-2222-3333-4444-555555555555"

TRANSACTIONS = "prod_catalog.sales.transactions"
CUSTOMERS = "prod_catalog.sales.customers"
REFUNDS = "prod_catalog.sales.refunds"

Entry = dict[str, Any]


def pack(
    project: str,
    *entries: Entry,
    line: str = "Sales Operations",
    allow: Sequence[Entry] = (),
    release: Sequence[str] = (),
    drift: str | None = None,
) -> str:
    """Entries are those of `d2o`, `d2d`, `oidc` and `share`."""
    metadata = {"requestor": "pat@example.com", "project_name": project, "business_line": line}
    if drift is not None:
        metadata["drift"] = drift
    document: Entry = {
        "metadata": metadata,
        "recipient": [entry for entry in entries if "type" in entry],
        "share": [entry for entry in entries if "type" not in entry],
        "allow": list(allow),
        "release": list(release),
    }
    return json.dumps({name: value for name, value in document.items() if value}, indent=1)


def d2o(name: str, **fields: Any) -> Entry:
    return {"name": name, "type": "D2O", "email": "partner@example.com", **fields}


def d2d(name: str, metastore: str = METASTORE, **fields: Any) -> Entry:
    return {"name": name, "type": "D2D", "metastore_id": metastore, **fields}


def oidc(name: str, **fields: Any) -> Entry:
    return {"name": name, "type": "OIDC", **fields}


def share(name: str, readers: Sequence[str], objects: Sequence[str | Entry] = (TRANSACTIONS,), **fields: Any) -> Entry:
    return {"name": name, "recipients": list(readers), "data_objects": list(objects), **fields}


def allowance(action: str, until: str) -> Entry:
    return {"action": action, "until": until, "reason": "reviewed"}
