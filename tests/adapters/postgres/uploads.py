"""Uploads as the inbox gets them."""

from hashlib import sha256
from uuid import UUID, uuid4

from reconciler.adapters.postgres.portal import Portal
from reconciler.core.key import PackId
from reconciler.ports.inbox import Upload
from tests.adapters.postgres.samples import (
    COMMIT,
    PACK,
    WORKSPACE,
)

CALLER = "key portal (a1b2c3d4)"


def an_upload(content: bytes = b"metadata: {}", pack: PackId = PACK) -> Upload:
    return Upload(
        id=uuid4(),
        pack=pack,
        path=f"sharepacks/{pack.project_key}.yaml",
        former_path="",
        content=content,
        digest=sha256(content).hexdigest(),
        workspace=WORKSPACE,
        requestor="john.doe@jll.com",
        caller=CALLER,
    )


async def enter(portal: Portal, upload: Upload, commit: str = COMMIT) -> UUID:
    kept = await portal.inbox.receive(upload)
    return (await portal.inbox.committed(kept, commit, strategy="NEW", share_pack_name="SharePack_john")).share_pack_id
