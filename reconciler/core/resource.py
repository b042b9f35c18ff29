"""What a pack can declare, in one union."""

from typing import TypeAlias, assert_never

from reconciler.core.key import Key, recipient_key, share_key
from reconciler.core.recipient import Recipient
from reconciler.core.share import Share

Resource: TypeAlias = Recipient | Share


def key_of(resource: Resource, workspace: str) -> Key:
    match resource:
        case Recipient():
            return recipient_key(resource.name, workspace)
        case Share():
            return share_key(resource.name, workspace)
        case _:
            assert_never(resource)
