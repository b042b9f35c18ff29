"""The workspace in memory: every record by its key, and the one place that replaces them.

It keeps and finds; what may be written is decided by recipients, shares, grants and catalog.
"""

from collections.abc import Iterator
from dataclasses import replace
from typing import Literal

from reconciler.sandbox.clock import Clock
from reconciler.sandbox.errors import does_not_exist, feature_disabled
from reconciler.sandbox.knobs import Knobs
from reconciler.sandbox.names import key
from reconciler.sandbox.newborn import Newborn
from reconciler.sandbox.records import (
    Catalog,
    Function,
    Metastore,
    Model,
    Recipient,
    Schema,
    Share,
    Stamp,
    Table,
    Volume,
)
from reconciler.sandbox.seed import Seed

ReadKind = Literal["recipient", "share", "share-permissions"]
Grants = dict[tuple[str, str], dict[str, frozenset[str]]]


class State:
    """All names in the dictionaries are folded by `names.key`."""

    def __init__(self, seed: Seed, knobs: Knobs) -> None:
        self.seed = seed
        self.knobs = knobs
        self.clock = Clock()
        #: where links and credentials point; known once the server listens
        self.base_url = seed.public_url or "http://127.0.0.1"
        #: rises with every write, so that a keeper knows when to save
        self.revision = 0
        self.metastore: Metastore = seed.metastore
        self.principals = {each.name: each for each in seed.principals}
        self.catalogs: dict[str, Catalog] = {each.name: each for each in seed.catalogs}
        self.schemas: dict[str, Schema] = {each.full_name: each for each in seed.schemas}
        self.tables: dict[str, Table] = {each.full_name: each for each in seed.tables}
        self.volumes: dict[str, Volume] = {each.full_name: each for each in seed.volumes}
        self.functions: dict[str, Function] = {each.full_name: each for each in seed.functions}
        self.models: dict[str, Model] = {each.full_name: each for each in seed.models}
        self.grants: Grants = {securable: dict(held) for securable, held in seed.grants.items()}
        self.recipients: dict[str, Recipient] = {}
        self.shares: dict[str, Share] = {}
        #: digests of activation secrets that were used
        self.used_links: set[str] = set()
        self.newborn = Newborn()
        self._name_of: dict[str, str] = {}
        self._stale: dict[tuple[ReadKind, str], tuple[int, Recipient | Share | None]] = {}

    def recipient(self, name: str) -> Recipient:
        found = self.recipients.get(key(name))
        if found is None:
            raise does_not_exist("Recipient", name)
        return found

    def share(self, name: str) -> Share:
        found = self.shares.get(key(name))
        if found is None:
            raise does_not_exist("Share", name)
        return found

    def recipient_as_read(self, name: str) -> Recipient:
        """Answers what a GET sees, which for a while may be the value before the last write."""
        self.newborn.read("Recipient", name)
        found = self._as_read("recipient", name, self.recipients.get(key(name)))
        if not isinstance(found, Recipient):
            raise does_not_exist("Recipient", name)
        return found

    def share_as_read(self, name: str, kind: Literal["share", "share-permissions"]) -> Share:
        self.newborn.read("Share", name)
        found = self._as_read(kind, name, self.shares.get(key(name)))
        if not isinstance(found, Share):
            raise does_not_exist("Share", name)
        return found

    def recipient_to_change(self, name: str) -> Recipient:
        self.newborn.change("Recipient", name)
        return self.recipient(name)

    def share_to_change(self, name: str) -> Share:
        self.newborn.change("Share", name)
        return self.share(name)

    def recipient_name(self, identity: str) -> str | None:
        return self._name_of.get(identity)

    def put_recipient(self, recipient: Recipient, *, instead_of: str | None = None) -> Recipient:
        before = self.recipients.pop(key(instead_of), None) if instead_of else None
        if instead_of and key(instead_of) != key(recipient.name):
            self.newborn.seen("Recipient", instead_of)
        self._written(("recipient",), recipient.name, instead_of, before)
        self.recipients[key(recipient.name)] = recipient
        self._name_of[recipient.id] = recipient.name
        return recipient

    def put_share(self, share: Share, *, instead_of: str | None = None) -> Share:
        before = self.shares.pop(key(instead_of), None) if instead_of else None
        if instead_of and key(instead_of) != key(share.name):
            self.newborn.seen("Share", instead_of)
        self._written(("share", "share-permissions"), share.name, instead_of, before)
        self.shares[key(share.name)] = share
        return share

    def remove_recipient(self, recipient: Recipient) -> None:
        """Its grants go with it."""
        for share in [each for each in self.shares.values() if recipient.id in each.grants]:
            left = {holder: held for holder, held in share.grants.items() if holder != recipient.id}
            self.put_share(replace(share, grants=left), instead_of=share.name)
        self.newborn.seen("Recipient", recipient.name)
        self._written(("recipient",), None, recipient.name, recipient)
        del self.recipients[key(recipient.name)]
        del self._name_of[recipient.id]

    def remove_share(self, share: Share) -> None:
        self.newborn.seen("Share", share.name)
        self._written(("share", "share-permissions"), None, share.name, share)
        del self.shares[key(share.name)]

    def created(self, by: str) -> Stamp:
        now = self.clock.now()
        return Stamp(now, by, now, by)

    def touched(self, stamp: Stamp, by: str) -> Stamp:
        return replace(stamp, updated_at=self.clock.now(), updated_by=by)

    def below(self, schema: str) -> Iterator[str]:
        """Answers the full names of the tables of a schema."""
        start = schema + "."
        return (name for name in self.tables if name.startswith(start))

    def written(self) -> None:
        self.revision += 1

    def _written(
        self, kinds: tuple[ReadKind, ...], name: str | None, old_name: str | None, before: Recipient | Share | None
    ) -> None:
        """Notes a write; `name` and `old_name` differ for a rename, the one or other is None for a create or delete."""
        self.revision += 1
        # For a new name the old value is that there was nothing.
        old_values: dict[str, Recipient | Share | None] = {key(name): None} if name else {}
        old_values |= {key(old_name): before} if old_name else {}
        for kind in kinds:
            for each, value in old_values.items():
                if self.knobs.stale_reads:
                    self._stale[kind, each] = (self.knobs.stale_reads, value)
                else:
                    self._stale.pop((kind, each), None)

    def _as_read(self, kind: ReadKind, name: str, current: Recipient | Share | None) -> Recipient | Share | None:
        if not self._stale:
            return current
        left, before = self._stale.pop((kind, key(name)), (0, None))
        if not left:
            return current
        if left > 1:
            self._stale[kind, key(name)] = (left - 1, before)
        return before


def check_sharing_is_on(state: State) -> None:
    if state.metastore.sharing_scope == "DISABLED":
        raise feature_disabled("Delta Sharing is not enabled")
