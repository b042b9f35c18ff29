"""The baselines. A: the same API calls as a script makes them, one SDK call after another, without any record of
them. B: one GET for each recipient, share and grant list, ten at the same time, which is how the Terraform provider
refreshes. SDK: the calls of the row by the SDK in threads and nothing else, as many at a time as the row may have."""

import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial

from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config
from databricks.sdk.errors import NotFound
from databricks.sdk.service.sharing import (
    AuthenticationType,
    IpAccessList,
    PermissionsChange,
    SharedDataObject,
    SharedDataObjectDataObjectType,
    SharedDataObjectUpdate,
    SharedDataObjectUpdateAction,
)
from requests.adapters import HTTPAdapter

from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import SharePack
from reconciler.core.recipient import DatabricksSharing, Recipient
from reconciler.core.resource import Resource
from reconciler.core.share import Share

#: What Terraform has under way at the same time unless told otherwise.
TERRAFORM_IN_FLIGHT = 10


class Script:
    def __init__(self, urls: Iterable[str], token: str) -> None:
        self._clients = {url: WorkspaceClient(config=Config(host=url, token=token)) for url in urls}

    def read(self, packs: Iterable[SharePack]) -> float:
        """Seconds for reading what a plan of these packs has to know."""
        start = time.perf_counter()
        for client, resource in self._resources(packs):
            if isinstance(resource, Share):
                _read_share(client, resource)
            else:
                _read_recipient(client, resource)
        return time.perf_counter() - start

    def refresh(self, packs: Iterable[SharePack]) -> float:
        """Seconds for baseline B."""
        return self._at_once(self._refreshing(packs), TERRAFORM_IN_FLIGHT)

    def refresh_at_once(self, packs: Iterable[SharePack], in_flight: int) -> float:
        """Seconds for the same as fast as the SDK can."""
        return self._at_once(self._refreshing(packs), in_flight)

    def write_and_read_at_once(self, packs: Iterable[SharePack], in_flight: int) -> float:
        """Seconds for making what these packs declare and reading it, the calls of a pack one after another."""
        return self._at_once([partial(self._write_and_read, pack) for pack in packs], in_flight)

    def _write_and_read(self, pack: SharePack) -> None:
        self.write([pack])
        self.read([pack])

    def _refreshing(self, packs: Iterable[SharePack]) -> list[Callable[[], object]]:
        calls: list[Callable[[], object]] = []
        for client, resource in self._resources(packs):
            if isinstance(resource, Share):
                calls.append(partial(client.shares.get, resource.name, include_shared_data=True))
                calls.append(partial(client.shares.share_permissions, resource.name))
            else:
                calls.append(partial(client.recipients.get, resource.name))
        return calls

    def _at_once(self, calls: Sequence[Callable[[], object]], in_flight: int) -> float:
        for client in self._clients.values():
            # Its own pool holds ten connections; whoever comes when they are in use makes one, and throws it away.
            client.api_client._api_client._session.mount("http://", HTTPAdapter(pool_maxsize=in_flight))
        start = time.perf_counter()
        with ThreadPoolExecutor(in_flight) as threads:
            for done in [threads.submit(call) for call in calls]:
                done.result()
        return time.perf_counter() - start

    def write(self, packs: Iterable[SharePack]) -> float:
        """Seconds for making everything these packs declare, blindly: no look before, none after."""
        start = time.perf_counter()
        for client, resource in self._resources(packs):
            if isinstance(resource, Share):
                _make_share(client, resource)
            else:
                _make_recipient(client, resource)
        return time.perf_counter() - start

    def _resources(self, packs: Iterable[SharePack]) -> Iterator[tuple[WorkspaceClient, Resource]]:
        """Recipients before the shares that are granted to them."""
        for pack in packs:
            declared = [each.resource for each in pack.resources.values()]
            for resource in sorted(declared, key=lambda each: isinstance(each, Share)):
                yield self._clients[pack.workspace], resource


def _read_recipient(client: WorkspaceClient, recipient: Recipient) -> None:
    try:
        client.recipients.get(recipient.name)
    except NotFound:
        return


def _read_share(client: WorkspaceClient, share: Share) -> None:
    try:
        client.shares.get(share.name, include_shared_data=True)
    except NotFound:
        for name in _object_names(share):
            client.tables.get(name)
    else:
        client.shares.share_permissions(share.name)


def _make_recipient(client: WorkspaceClient, recipient: Recipient) -> None:
    kind, metastore = AuthenticationType.TOKEN, None
    if isinstance(recipient.authentication, DatabricksSharing):
        kind, metastore = AuthenticationType.DATABRICKS, recipient.authentication.metastore_id
    addresses = None if recipient.allowed_ips is UNMANAGED else IpAccessList(sorted(recipient.allowed_ips))
    client.recipients.create(
        recipient.name, kind, data_recipient_global_metastore_id=metastore, ip_access_list=addresses
    )


def _make_share(client: WorkspaceClient, share: Share) -> None:
    client.shares.create(share.name)
    add, table = SharedDataObjectUpdateAction.ADD, SharedDataObjectDataObjectType.TABLE
    objects = (SharedDataObject(name=name, data_object_type=table) for name in _object_names(share))
    client.shares.update(share.name, updates=[SharedDataObjectUpdate(add, item) for item in objects])
    readers = () if share.recipients is UNMANAGED else sorted(share.recipients)
    changes = [PermissionsChange(principal=name, add=["SELECT"]) for name in readers]
    client.shares.update_permissions(share.name, changes=changes)


def _object_names(share: Share) -> list[str]:
    return [] if share.objects is UNMANAGED else sorted(item.name for item in share.objects)
