"""A model of one Databricks workspace, as strict as the API contract: whatever the real one refuses or may refuse, this
one refuses by raising, because the product must never ask for it. It knows nothing of the product's decisions."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.actual import Absent, Actual, Found, Token
from reconciler.core.calls import (
    Call,
    ChangeGrants,
    ChangeOwner,
    CreatePolicy,
    CreateRecipient,
    CreateShare,
    DeletePolicy,
    DeleteRecipient,
    DeleteShare,
    Rename,
    RotateToken,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.key import Key, Kind, recipient_key
from reconciler.core.managed import UNMANAGED, Managed
from reconciler.core.recipient import DatabricksSharing, OidcSharing, OtherSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource
from reconciler.core.rights import Caller
from reconciler.core.share import ObjectType, Share
from tests.core.model_objects import (
    RefusedByModelError,
    changed,
    check_updates,
    find,
    made,
    objects_in,
    once,
    place,
    some,
)

#: 2030-03-17, in epoch milliseconds.
NOW = 1_900_000_000_000
DAY = 24 * 3_600_000
#: What the metastore gives a token that says nothing.
TOKEN_LIFE = 365 * DAY
ROBOT = "robot"


@dataclass
class ModelWorkspace:
    """`resources` are as Databricks keeps them: every field has a value. `caller` None: rights are not looked at."""

    resources: dict[Key, Resource] = field(default_factory=dict)
    #: Newest first.
    tokens: dict[Key, list[Token]] = field(default_factory=dict)
    #: Digests of notebooks by share and name; nobody gets to read them.
    contents: dict[tuple[Key, str], str] = field(default_factory=dict)
    caller: Caller | None = None
    now: int = NOW
    calls: list[Call] = field(default_factory=list)

    def observe(self, keys: Iterable[Key]) -> Actual:
        return {key: self._found(key) if key in self.resources else Absent() for key in keys}

    def _found(self, key: Key) -> Found:
        told = self.told(key)
        owner = "" if told.owner is UNMANAGED else told.owner
        return Found(told, owner=owner, tokens=tuple(self.tokens.get(key, ())))

    def told(self, key: Key) -> Resource:
        """A resource as its reader tells it: an object with its history says nothing of its change feed."""
        kept = self.resources[key]
        if isinstance(kept, Recipient):
            newest = self.tokens.get(key)
            ends = newest[0].expires_at if newest else None
            return replace(kept, expires_at=UNMANAGED if ends is None else ends)
        objects = frozenset(
            replace(item, cdf=False) if item.history is True and item.cdf is True else item for item in objects_in(kept)
        )
        return replace(kept, objects=objects)

    def perform(self, call: Call) -> None:
        """Every call takes a second."""
        self.calls.append(call)
        self.now += 1000
        match call:
            case CreateRecipient() | UpdateRecipient() | DeleteRecipient():
                self._change_recipient(call)
            case RotateToken() | CreatePolicy() | DeletePolicy():
                self._change_credentials(call)
            case CreateShare() | UpdateShare() | DeleteShare():
                self._change_share(call)
            case ChangeGrants(key, grant, revoke):
                self._change_grants(key, grant, revoke)
            case ChangeOwner(key, owner):
                self._change_owner(key, owner)
            case Rename(key, old_name):
                self._rename(key, replace(key, name=old_name))

    def _change_recipient(self, call: CreateRecipient | UpdateRecipient | DeleteRecipient) -> None:
        match call:
            case CreateRecipient(key):
                self._create_recipient(key, call)
            case UpdateRecipient(key):
                self._needs(key, owner=True, admin_too=True)
                some(call != UpdateRecipient(key), key)
                self._set_recipient(key, call)
            case DeleteRecipient(key):
                self._needs(key, owner=True)
                self._recipient(key)
                del self.resources[key]
                self.tokens.pop(key, None)
                self._rewrite_grants(key, {key.name: None})

    def _create_recipient(self, key: Key, call: CreateRecipient) -> None:
        self._new(key)
        self._needs(key, privilege="CREATE_RECIPIENT")
        if isinstance(call.authentication, OtherSharing):
            raise RefusedByModelError(f"{key}: {call.authentication} cannot be made")
        is_oidc = isinstance(call.authentication, OidcSharing)
        self.resources[key] = Recipient(
            key.name,
            call.authentication,
            allowed_ips=frozenset(),
            comment="",
            owner=self._me,
            properties=frozenset(),
            policies=frozenset() if is_oidc else UNMANAGED,
        )
        if isinstance(call.authentication, TokenSharing):
            self.tokens[key] = [self._new_token(key)]
        self._set_recipient(key, call)

    def _set_recipient(self, key: Key, call: CreateRecipient | UpdateRecipient) -> None:
        recipient = self._recipient(key)
        if call.allowed_ips is not UNMANAGED:
            if isinstance(recipient.authentication, DatabricksSharing):
                raise RefusedByModelError(f"{key}: only open sharing has an address list")
            once(call.allowed_ips, f"{key} addresses")
            recipient = replace(recipient, allowed_ips=frozenset(call.allowed_ips))
        if call.comment is not UNMANAGED:
            recipient = replace(recipient, comment=call.comment)
        if call.properties is not UNMANAGED:
            once([name for name, _ in call.properties], f"{key} properties")
            if any(name.startswith("databricks.") for name, _ in call.properties):
                raise RefusedByModelError(f"{key}: a property of the server's own")
            recipient = replace(recipient, properties=frozenset(call.properties))
        self.resources[key] = recipient
        self._set_end(key, recipient, call.expires_at, call.expires_in)

    def _set_end(self, key: Key, recipient: Recipient, at: Managed[int], within: Managed[int]) -> None:
        if at is UNMANAGED and within is UNMANAGED:
            return
        if at is not UNMANAGED and within is not UNMANAGED:
            raise RefusedByModelError(f"{key}: two ends for one token")
        if not isinstance(recipient.authentication, TokenSharing):
            raise RefusedByModelError(f"{key}: only a token expires")
        ends = at if at is not UNMANAGED else self.now + 1000 * within if within is not UNMANAGED else 0
        newest, *others = self.tokens[key]
        if newest.expires_at is not None and ends > newest.expires_at:
            raise RefusedByModelError(f"{key}: cannot extend the token expiration time")
        if ends <= self.now:
            raise RefusedByModelError(f"{key}: a token that ends in the past")
        self.tokens[key] = [replace(newest, expires_at=ends), *others]

    def _change_credentials(self, call: RotateToken | CreatePolicy | DeletePolicy) -> None:
        key = call.key
        self._needs(key, owner=True)
        recipient = self._recipient(key)
        if isinstance(call, RotateToken):
            self._rotate(call, recipient)
            return
        if not isinstance(recipient.policies, frozenset):
            raise RefusedByModelError(f"{key}: only a recipient with OIDC has policies")
        match call:
            case CreatePolicy(policy=policy):
                if policy.name in {each.name for each in recipient.policies}:
                    raise RefusedByModelError(f"{key}: a second policy {policy.name}")
                policies = recipient.policies | {policy}
            case DeletePolicy(name=name):
                policies = frozenset(each for each in recipient.policies if each.name != name)
                some(policies != recipient.policies, key)
        self.resources[key] = replace(recipient, policies=policies)

    def _rotate(self, call: RotateToken, recipient: Recipient) -> None:
        key, overlap = call.key, call.overlap_at(self.now)
        if not isinstance(recipient.authentication, TokenSharing):
            raise RefusedByModelError(f"{key}: non-TOKEN authentication type")
        live = [each for each in self.tokens[key] if each.expires_at is None or each.expires_at > self.now]
        if len(live) > 1:
            raise RefusedByModelError(f"{key}: there are already two active tokens")
        if self.tokens[key][0].id != call.token_id:
            raise RefusedByModelError(f"{key}: it was rotated already")
        ends = self.now + overlap * 1000
        if overlap < 0 or any(each.expires_at is not None and ends > each.expires_at for each in live):
            raise RefusedByModelError(f"{key}: cannot extend the token expiration time")
        self.tokens[key] = [self._new_token(key), *(replace(each, expires_at=ends) for each in live)]

    def _new_token(self, key: Key) -> Token:
        return Token(f"{key.name}-{self.now}", self.now, self.now + TOKEN_LIFE)

    def _change_share(self, call: CreateShare | UpdateShare | DeleteShare) -> None:
        match call:
            case CreateShare(key, comment, storage_root):
                self._new(key)
                self._needs(key, privilege="CREATE_SHARE")
                self.resources[key] = Share(
                    key.name,
                    "" if comment is UNMANAGED else comment,
                    frozenset(),
                    frozenset(),
                    self._me,
                    "" if storage_root is UNMANAGED else storage_root,
                )
            case UpdateShare(key):
                self._needs(key, owner=True)
                some(call != UpdateShare(key), key)
                self._update_share(key, call)
            case DeleteShare(key):
                self._needs(key, owner=True)
                if self._share(key).recipients:
                    raise RefusedByModelError(f"{key} is still granted")
                del self.resources[key]
                self.contents = {at: digest for at, digest in self.contents.items() if at[0] != key}

    def _update_share(self, key: Key, call: UpdateShare) -> None:
        share = self._share(key)
        objects = {place(item): item for item in objects_in(share)}
        if call.storage_root is not UNMANAGED and any(
            item.type is ObjectType.NOTEBOOK_FILE for item in objects_in(share)
        ):
            raise RefusedByModelError(f"{key}: the storage root is fixed while there are notebooks")
        check_updates(key, call)
        contents = dict(self.contents)
        for item in call.remove:
            found = find(key, objects, item)
            del objects[place(found)]
            contents.pop((key, item.name), None)
        for item in call.change:
            found = find(key, objects, item)
            objects[place(found)] = changed(key, found, item)
        for item in call.add:
            new = made(key, item)
            if place(new) in objects:
                raise RefusedByModelError(f"{key}: {new.shared_as} is taken")
            objects[place(new)] = new
        for item in (*call.add, *call.change):
            if item.content is not UNMANAGED:
                contents[key, item.name] = item.content.digest
        share = replace(share, objects=frozenset(objects.values()))
        share = share if call.comment is UNMANAGED else replace(share, comment=call.comment)
        share = share if call.storage_root is UNMANAGED else replace(share, storage_root=call.storage_root)
        self.resources[key], self.contents = share, contents

    def _change_grants(self, key: Key, grant: tuple[str, ...], revoke: tuple[str, ...]) -> None:
        share = self._share(key)
        some(bool(grant or revoke), key)
        once([*grant, *revoke], f"{key} principals")
        unknown = [name for name in grant if recipient_key(name, key.workspace) not in self.resources]
        held = share.recipients if isinstance(share.recipients, frozenset) else frozenset()
        if unknown or held & set(grant) or set(revoke) - held:
            raise RefusedByModelError(f"{key}: unknown principals {unknown}, or nothing to change for one")
        may_grant = self.caller is not None and self.caller.has("USE_SHARE") and self.caller.has("SET_SHARE_PERMISSION")
        if not may_grant:
            self._needs(key, owner=True)
        for name in grant:
            self._needs(recipient_key(name, key.workspace), owner=True)
        self.resources[key] = replace(share, recipients=held - set(revoke) | set(grant))

    def _change_owner(self, key: Key, owner: str) -> None:
        self._needs(key, owner=True, admin_too=True)
        found = self._share(key) if key.kind is Kind.SHARE else self._recipient(key)
        some(bool(owner), key)
        self.resources[key] = replace(found, owner=owner)

    def _rename(self, key: Key, old_key: Key) -> None:
        self._new(key)
        found = self._share(old_key) if key.kind is Kind.SHARE else self._recipient(old_key)
        self._needs(old_key, owner=True)
        if key.kind is Kind.SHARE:
            self._needs(old_key, privilege="CREATE_SHARE")
        elif self.caller is not None and not self.caller.is_metastore_admin:
            raise RefusedByModelError(f"{key}: only an admin renames a recipient")
        del self.resources[old_key]
        self.resources[key] = replace(found, name=key.name)
        if old_key in self.tokens:
            self.tokens[key] = self.tokens.pop(old_key)
        self.contents = {(key if at == old_key else at, name): digest for (at, name), digest in self.contents.items()}
        if key.kind is Kind.RECIPIENT:
            self._rewrite_grants(key, {old_key.name: key.name})

    def _rewrite_grants(self, key: Key, names: Mapping[str, str | None]) -> None:
        for other, share in self.resources.items():
            if (
                isinstance(share, Share)
                and other.workspace == key.workspace
                and isinstance(share.recipients, frozenset)
            ):
                held = (names.get(name, name) for name in share.recipients)
                self.resources[other] = replace(share, recipients=frozenset(name for name in held if name is not None))

    def _needs(self, key: Key, *, owner: bool = False, admin_too: bool = False, privilege: str = "") -> None:
        if self.caller is None or (admin_too and self.caller.is_metastore_admin):
            return
        found = self.resources.get(key)
        if owner and (found is None or not isinstance(found.owner, str) or not self.caller.is_one_of(found.owner)):
            raise RefusedByModelError(f"{self.caller.name} is not an owner of {key}")
        if privilege and not self.caller.has(privilege):
            raise RefusedByModelError(f"{self.caller.name} does not have {privilege}")

    @property
    def _me(self) -> str:
        return ROBOT if self.caller is None else self.caller.name

    def _new(self, key: Key) -> None:
        if key in self.resources:
            raise RefusedByModelError(f"{key} already exists")

    def _recipient(self, key: Key) -> Recipient:
        found = self.resources.get(key)
        if not isinstance(found, Recipient):
            raise RefusedByModelError(f"{key} does not exist")
        return found

    def _share(self, key: Key) -> Share:
        found = self.resources.get(key)
        if not isinstance(found, Share):
            raise RefusedByModelError(f"{key} does not exist")
        return found
