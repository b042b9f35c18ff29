"""Reads a seed from YAML. It decides what a valid seed is; it knows nothing of the API.

    workspace: {id: 900800700600, account_id: UUID, url: https://…}    all optional; url appears in links only
    metastore: {name, id, cloud, region, owner, sharing, token_lifetime, organization}
        sharing: INTERNAL_AND_EXTERNAL (default), INTERNAL or DISABLED; token_lifetime in seconds, at most a year
    owner: NAME                  owns what names no owner; default: the first metastore admin
    principals:
      NAME: {token | tokens, client_id, client_secret, federated_subject, admin: true, groups: […], privileges: […]}
        privileges: those on the metastore, such as CREATE_SHARE. Metastore admin is who owns the metastore, alone or
        through a group; several with `admin: true` own it as the group metastore-admins
    catalogs:
      CATALOG:
        .owner, .comment, .type, .grants: {PRINCIPAL: [PRIVILEGE, …]}
        SCHEMA:
          .owner, .comment, .grants
          .volumes, .functions, .models: [NAME, …] or {NAME: {owner, comment, grants, type}}
          .numbered: {PREFIX: COUNT}        COUNT tables PREFIX1 … for load tests
          TABLE: one of
            nothing                         a managed table with one column, `id bigint`
            "id bigint, amount decimal(18,2)"                          a managed table with these columns
            {type, columns, partitions, owner, comment, grants, properties, definition, row_filter, version}
        SCHEMA: [TABLE, TABLE]              short for tables about which nothing matters but the name

A key that starts with a period says something about its parent; a name cannot contain one. Names are stored in lower
case, ids are derived from names, so that the same seed gives the same ids.
"""

import hashlib
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from typing import Any, TypeVar
from uuid import NAMESPACE_URL, uuid5

import yaml

from reconciler.sandbox.records import (
    Catalog,
    Column,
    Function,
    Metastore,
    Model,
    Principal,
    Schema,
    Stamp,
    Table,
    Volume,
)

_SEEDED_AT = 1_700_000_000_000
_ADMIN_GROUP = "metastore-admins"
_YEAR_SECONDS = 31_536_000
_TABLE_TYPES = frozenset(
    {
        "MANAGED",
        "EXTERNAL",
        "VIEW",
        "MATERIALIZED_VIEW",
        "STREAMING_TABLE",
        "FOREIGN",
        "METRIC_VIEW",
        "MANAGED_SHALLOW_CLONE",
        "EXTERNAL_SHALLOW_CLONE",
    }
)
_SCOPES = frozenset({"INTERNAL_AND_EXTERNAL", "INTERNAL", "DISABLED"})
_TABLE_KEYS = frozenset(
    {
        "type",
        "columns",
        "partitions",
        "owner",
        "comment",
        "grants",
        "properties",
        "definition",
        "row_filter",
        "version",
    }
)
_COMMA_OUTSIDE_BRACKETS = re.compile(r",(?![^(<]*[)>])")

_OF_PRINCIPALS = frozenset(
    {"token", "tokens", "client_id", "client_secret", "federated_subject", "admin", "groups", "privileges"}
)

SomeSeed = TypeVar("SomeSeed")


class SeedError(ValueError):
    """The seed cannot be used; the message names the place in it."""


def read_seed(text: str, made: Callable[..., SomeSeed]) -> SomeSeed:
    try:
        document = yaml.safe_load(text)
    except yaml.YAMLError as error:
        raise SeedError(f"the seed is not valid YAML: {error}") from None
    return _Reader(_mapping(document, "the seed")).seed(made, hashlib.sha256(text.encode()).hexdigest())


class _Reader:
    """Walks the document once and collects records."""

    def __init__(self, document: Mapping[str, Any]) -> None:
        _only(document, {"workspace", "metastore", "owner", "principals", "catalogs"}, "the seed")
        self.document = document
        self.principals = tuple(self._principals())
        self.owner = str(document.get("owner") or self._first_admin())
        self.metastore = self._metastore()
        self.principals = tuple(self._as_administrator(each) for each in self.principals)
        self.catalogs: list[Catalog] = []
        self.schemas: list[Schema] = []
        self.tables: list[Table] = []
        self.volumes: list[Volume] = []
        self.functions: list[Function] = []
        self.models: list[Model] = []
        self.grants: dict[tuple[str, str], dict[str, frozenset[str]]] = {}

    def seed(self, made: Callable[..., SomeSeed], digest: str) -> SomeSeed:
        self._metastore_grants()
        for name, value in _mapping(self.document.get("catalogs"), "catalogs").items():
            self._catalog(str(name).lower(), value)
        workspace = _mapping(self.document.get("workspace"), "workspace")
        _only(workspace, {"id", "account_id", "url"}, "workspace")
        return made(
            workspace_id=_integer(workspace.get("id", 900800700600), "workspace.id"),
            account_id=str(workspace.get("account_id") or _id("account")),
            public_url=str(workspace["url"]).rstrip("/") if workspace.get("url") else None,
            metastore=self.metastore,
            principals=self.principals,
            catalogs=tuple(self.catalogs),
            schemas=tuple(self.schemas),
            tables=tuple(self.tables),
            volumes=tuple(self.volumes),
            functions=tuple(self.functions),
            models=tuple(self.models),
            grants=self.grants,
            digest=digest,
        )

    def _principals(self) -> Iterator[Principal]:
        for name, value in _mapping(self.document.get("principals"), "principals").items():
            place = f"principals.{name}"
            given = _mapping(value, place)
            _only(given, _OF_PRINCIPALS, place)
            tokens = _names(given.get("tokens"), f"{place}.tokens")
            yield Principal(
                name=str(name),
                tokens=(*([str(given["token"])] if given.get("token") else []), *tokens),
                client_id=_text(given.get("client_id")),
                client_secret=_text(given.get("client_secret")),
                is_metastore_admin=bool(given.get("admin", False)),
                groups=frozenset(_names(given.get("groups"), f"{place}.groups")),
                federated_subject=_text(given.get("federated_subject")),
            )

    def _first_admin(self) -> str:
        admins = [each.name for each in self.principals if each.is_metastore_admin]
        if not admins:
            raise SeedError("principals: one of them must have `admin: true`, or `owner` must be given")
        return admins[0]

    def _administrator(self) -> str:
        """Who owns the metastore when the seed does not say."""
        admins = [each.name for each in self.principals if each.is_metastore_admin]
        return _ADMIN_GROUP if len(admins) > 1 else next(iter(admins), self.owner)

    def _as_administrator(self, principal: Principal) -> Principal:
        owner = self.metastore.owner
        if principal.is_metastore_admin and owner == _ADMIN_GROUP:
            return replace(principal, groups=principal.groups | {owner})
        owns = owner == principal.name or owner in principal.groups
        if principal.is_metastore_admin and not owns:
            raise SeedError(f"principals.{principal.name}: is an admin, but the metastore belongs to {owner}")
        return replace(principal, is_metastore_admin=owns)

    def _metastore(self) -> Metastore:
        given = _mapping(self.document.get("metastore"), "metastore")
        known = {"name", "id", "cloud", "region", "owner", "sharing", "token_lifetime", "organization"}
        _only(given, known, "metastore")
        scope = str(given.get("sharing", "INTERNAL_AND_EXTERNAL")).upper()
        if scope not in _SCOPES:
            raise SeedError(f"metastore.sharing: {scope} is none of {', '.join(sorted(_SCOPES))}")
        lifetime = _integer(given.get("token_lifetime", _YEAR_SECONDS), "metastore.token_lifetime")
        if not 0 < lifetime <= _YEAR_SECONDS:
            raise SeedError(f"metastore.token_lifetime: {lifetime} is not between 1 and {_YEAR_SECONDS} seconds")
        name = str(given.get("name", "sandbox-metastore"))
        return Metastore(
            id=str(given.get("id") or _id("metastore", name)),
            name=name,
            cloud=str(given.get("cloud", "azure")).lower(),
            region=str(given.get("region", "westeurope")).lower(),
            owner=str(given.get("owner") or self._administrator()),
            sharing_scope=scope,
            token_lifetime_seconds=lifetime,
            organization_name=_text(given.get("organization")),
            stamp=_stamp(self.owner),
        )

    def _metastore_grants(self) -> None:
        for name, value in _mapping(self.document.get("principals"), "principals").items():
            privileges = _names(_mapping(value, str(name)).get("privileges"), f"principals.{name}.privileges")
            if privileges:
                self._grant("METASTORE", self.metastore.id, {name: privileges}, f"principals.{name}.privileges")

    def _catalog(self, name: str, value: object) -> None:
        place = f"catalogs.{name}"
        given = _mapping(value, place)
        about, schemas = _split(given)
        _only(about, {".owner", ".comment", ".type", ".grants"}, place)
        owner = str(about.get(".owner", self.owner))
        kind = str(about.get(".type", "MANAGED_CATALOG"))
        self.catalogs.append(Catalog(name, owner, _text(about.get(".comment")), kind, _stamp(owner)))
        self._grant("CATALOG", name, about.get(".grants"), place)
        for schema, content in schemas.items():
            self._schema(f"{name}.{schema}".lower(), content, owner)

    def _schema(self, full_name: str, value: object, parent_owner: str) -> None:
        place = f"catalogs.{full_name}"
        given = dict.fromkeys(_names(value, place)) if isinstance(value, list) else _mapping(value, place)
        about, tables = _split(given)
        _only(about, {".owner", ".comment", ".grants", ".volumes", ".functions", ".models", ".numbered"}, place)
        owner = str(about.get(".owner", parent_owner))
        identity = _id("schema", full_name)
        self.schemas.append(Schema(full_name, owner, _text(about.get(".comment")), identity, _stamp(owner)))
        self._grant("SCHEMA", full_name, about.get(".grants"), place)
        for name, content in tables.items():
            self.tables.append(self._table(f"{full_name}.{name}".lower(), content, owner))
        for prefix, count in _mapping(about.get(".numbered"), f"{place}.numbered").items():
            for number in range(1, _integer(count, f"{place}.numbered.{prefix}") + 1):
                self.tables.append(self._table(f"{full_name}.{prefix}{number}".lower(), None, owner))
        self._others(full_name, about, owner)

    def _table(self, full_name: str, value: object, parent_owner: str) -> Table:
        place = f"catalogs.{full_name}"
        given = {"columns": value} if isinstance(value, str) else _mapping(value, place)
        _only(given, _TABLE_KEYS, place)
        table_type = str(given.get("type", "MANAGED")).upper()
        if table_type not in _TABLE_TYPES:
            raise SeedError(f"{place}.type: {table_type} is none of {', '.join(sorted(_TABLE_TYPES))}")
        owner = str(given.get("owner", parent_owner))
        self._grant("TABLE", full_name, given.get("grants"), place)
        properties = _mapping(given.get("properties"), f"{place}.properties")
        return Table(
            full_name=full_name,
            table_type=table_type,
            owner=owner,
            comment=_text(given.get("comment")),
            columns=_columns(given.get("columns") or "id bigint", given.get("partitions"), place),
            properties={str(name): str(each) for name, each in properties.items()},
            view_definition=_text(given.get("definition")),
            has_row_filter=bool(given.get("row_filter", False)),
            version=_integer(given.get("version", 12), f"{place}.version"),
            id=_id("table", full_name),
            stamp=_stamp(owner),
        )

    def _others(self, schema: str, about: Mapping[str, Any], parent_owner: str) -> None:
        for name, given, owner in self._named(schema, about.get(".volumes"), "VOLUME", parent_owner):
            kind = str(given.get("type", "MANAGED")).upper()
            comment = _text(given.get("comment"))
            self.volumes.append(Volume(name, kind, owner, comment, _id("volume", name), _stamp(owner)))
        for name, given, owner in self._named(schema, about.get(".functions"), "FUNCTION", parent_owner):
            comment = _text(given.get("comment"))
            self.functions.append(Function(name, owner, comment, _id("function", name), _stamp(owner)))
        for name, given, owner in self._named(schema, about.get(".models"), "FUNCTION", parent_owner):
            comment = _text(given.get("comment"))
            self.models.append(Model(name, owner, comment, _id("model", name), _stamp(owner)))

    def _named(
        self, schema: str, value: object, securable: str, parent_owner: str
    ) -> Iterator[tuple[str, Mapping[str, Any], str]]:
        given = dict.fromkeys(value) if isinstance(value, list) else _mapping(value, f"catalogs.{schema}")
        for name, content in given.items():
            full_name = f"{schema}.{name}".lower()
            about = _mapping(content, f"catalogs.{full_name}")
            _only(about, {"owner", "comment", "grants", "type"}, f"catalogs.{full_name}")
            self._grant(securable, full_name, about.get("grants"), f"catalogs.{full_name}")
            yield full_name, about, str(about.get("owner", parent_owner))

    def _grant(self, securable: str, full_name: str, value: object, place: str) -> None:
        held = self.grants.setdefault((securable, full_name), {})
        for principal, privileges in _mapping(value, f"{place}.grants").items():
            wanted = frozenset(each.upper().replace(" ", "_") for each in _names(privileges, f"{place}.grants"))
            held[str(principal)] = held.get(str(principal), frozenset()) | wanted
        if not held:
            del self.grants[(securable, full_name)]


def _columns(value: object, partitions: object, place: str) -> tuple[Column, ...]:
    pieces = _COMMA_OUTSIDE_BRACKETS.split(value) if isinstance(value, str) else _names(value, f"{place}.columns")
    order = _names(partitions, f"{place}.partitions")
    columns = []
    for piece in pieces:
        name, _, type_text = piece.strip().partition(" ")
        if not name or not type_text:
            raise SeedError(f"{place}.columns: {piece.strip()!r} must be a name and a type, as in `id bigint`")
        columns.append(Column(name, type_text.strip(), order.index(name) if name in order else None))
    unknown = set(order) - {each.name for each in columns}
    if unknown:
        raise SeedError(f"{place}.partitions: there is no column {min(unknown)!r}")
    return tuple(columns)


def _split(given: Mapping[str, Any]) -> tuple[dict[str, Any], dict[str, Any]]:
    about = {name: value for name, value in given.items() if name.startswith(".")}
    return about, {name: value for name, value in given.items() if name not in about}


def _mapping(value: object, place: str) -> dict[str, Any]:
    if value is None:
        return {}
    if not isinstance(value, dict):
        raise SeedError(f"{place} must be a mapping, not {type(value).__name__}")
    return {str(name): each for name, each in value.items()}


def _names(value: object, place: str) -> list[str]:
    if value is None:
        return []
    if isinstance(value, str):
        return [each.strip() for each in value.split(",") if each.strip()]
    if not isinstance(value, list):
        raise SeedError(f"{place} must be a list, not {type(value).__name__}")
    return [str(each) for each in value]


def _only(given: Mapping[str, Any], known: set[str] | frozenset[str], place: str) -> None:
    unknown = sorted(set(given) - known)
    if unknown:
        raise SeedError(f"{place}: unknown key {unknown[0]!r}; known are {', '.join(sorted(known))}")


def _integer(value: object, place: str) -> int:
    if isinstance(value, bool) or not isinstance(value, int):
        raise SeedError(f"{place} must be a whole number, not {value!r}")
    return value


def _text(value: object) -> str | None:
    return None if value is None else str(value)


def _id(*parts: str) -> str:
    return str(uuid5(NAMESPACE_URL, "/".join(("sandbox", *parts))))


def _stamp(owner: str) -> Stamp:
    return Stamp(_SEEDED_AT, owner, _SEEDED_AT, owner)
