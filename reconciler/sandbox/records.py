"""What the workspace keeps: immutable records, replaced as a whole by every write.

They hold facts only; what a caller may do with them and how they look on the wire is decided elsewhere.
Times are epoch milliseconds.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Stamp:
    created_at: int
    created_by: str
    updated_at: int
    updated_by: str


@dataclass(frozen=True, slots=True)
class Principal:
    name: str
    tokens: tuple[str, ...] = field(repr=False)
    #: for OAuth machine-to-machine sign-in
    client_id: str | None
    client_secret: str | None = field(repr=False)
    is_metastore_admin: bool
    groups: frozenset[str]
    #: the `sub` of the tokens of another issuer that it may sign in with, such as GitHub's for an environment
    federated_subject: str | None = None


@dataclass(frozen=True, slots=True)
class Metastore:
    id: str
    name: str
    cloud: str
    region: str
    owner: str
    #: INTERNAL_AND_EXTERNAL, INTERNAL or DISABLED
    sharing_scope: str
    token_lifetime_seconds: int
    organization_name: str | None
    stamp: Stamp

    @property
    def global_id(self) -> str:
        return f"{self.cloud}:{self.region}:{self.id}"


@dataclass(frozen=True, slots=True)
class Catalog:
    name: str
    owner: str
    comment: str | None
    catalog_type: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Schema:
    full_name: str
    owner: str
    comment: str | None
    id: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Column:
    name: str
    type_text: str
    #: place among the partition columns, None for an ordinary column
    partition_index: int | None = None


@dataclass(frozen=True, slots=True)
class Table:
    full_name: str
    table_type: str
    owner: str
    comment: str | None
    columns: tuple[Column, ...]
    properties: Mapping[str, str]
    view_definition: str | None
    has_row_filter: bool
    #: newest Delta version
    version: int
    id: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Volume:
    full_name: str
    volume_type: str
    owner: str
    comment: str | None
    id: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Function:
    full_name: str
    owner: str
    comment: str | None
    id: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Model:
    full_name: str
    owner: str
    comment: str | None
    id: str
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class Token:
    id: str
    #: the secret in the one-time link; None once the link was used
    activation_secret: str | None = field(repr=False)
    #: SHA-256 of the bearer token handed out; the token itself is kept nowhere
    bearer_digest: str | None = field(repr=False)
    expires_at: int
    stamp: Stamp

    @property
    def is_activated(self) -> bool:
        return self.activation_secret is None


@dataclass(frozen=True, slots=True)
class FederationPolicy:
    id: str
    name: str
    comment: str | None
    oidc_policy: Mapping[str, Any]
    created_at: int
    updated_at: int


@dataclass(frozen=True, slots=True)
class Recipient:
    id: str
    name: str
    authentication_type: str
    owner: str
    comment: str | None
    global_metastore_id: str | None
    sharing_code: str | None = field(repr=False)
    ip_addresses: tuple[str, ...]
    properties: Mapping[str, str]
    #: newest last
    tokens: tuple[Token, ...]
    policies: tuple[FederationPolicy, ...]
    stamp: Stamp


@dataclass(frozen=True, slots=True)
class SharedObject:
    name: str
    data_object_type: str
    #: `shared_as` of table-like objects, `string_shared_as` of the others
    alias: str
    comment: str | None
    partitions: tuple[Mapping[str, Any], ...]
    is_cdf_enabled: bool | None
    is_history_shared: bool
    start_version: int | None
    content: str | None
    added_at: int
    added_by: str


@dataclass(frozen=True, slots=True)
class Share:
    name: str
    owner: str
    comment: str | None
    storage_root: str | None
    objects: tuple[SharedObject, ...]
    #: recipient id → privileges, never empty
    grants: Mapping[str, frozenset[str]]
    stamp: Stamp
