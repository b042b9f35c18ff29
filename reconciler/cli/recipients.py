"""From a recipient's name as typed to its key: on record, or in a workspace that is named."""

from reconciler.cli.terminal import Failure
from reconciler.core.key import Key, recipient_key
from reconciler.settings import Settings
from reconciler.wiring import Ports


async def recipient_meant(ports: Ports, settings: Settings, typed: str, workspace: str | None) -> Key:
    """Raises Failure when it cannot be told, with what to add."""
    name = typed.removeprefix("recipient/")
    if workspace is not None:
        return recipient_key(name, workspace.rstrip("/"))
    known = await ports.ledger.find_recipients(name)
    if len(known) > 1:
        places = ", ".join(sorted(key.workspace for key in known))
        raise Failure(f"several workspaces have {name}: {places}; name one with --workspace")
    if known:
        return known[0]
    if not settings.databricks_host:
        raise Failure(
            f"no recipient {name} is on record; name the workspace with --workspace to ask for it all the same"
        )
    return recipient_key(name, settings.databricks_host)
