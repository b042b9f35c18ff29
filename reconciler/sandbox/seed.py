"""What a sandbox holds when it starts: a workspace, its metastore, people and data. No shares and no recipients."""

from collections.abc import Mapping
from dataclasses import dataclass
from importlib.resources import files
from typing import Self

from reconciler.sandbox.records import Catalog, Function, Metastore, Model, Principal, Schema, Table, Volume
from reconciler.sandbox.seed_reader import read_seed

#: (securable type in capitals, full name) → principal → privileges
Grants = Mapping[tuple[str, str], Mapping[str, frozenset[str]]]


@dataclass(frozen=True, slots=True)
class Seed:
    workspace_id: int
    account_id: str
    #: shown as the host of links in place of the sandbox's own address
    public_url: str | None
    metastore: Metastore
    principals: tuple[Principal, ...]
    catalogs: tuple[Catalog, ...]
    schemas: tuple[Schema, ...]
    tables: tuple[Table, ...]
    volumes: tuple[Volume, ...]
    functions: tuple[Function, ...]
    models: tuple[Model, ...]
    grants: Grants
    #: changes with the text the seed was read from
    digest: str

    @classmethod
    def from_yaml(cls, text: str) -> Self:
        """Raises SeedError, which names the place in the seed and what it should be."""
        return read_seed(text, cls)

    @classmethod
    def example(cls) -> Self:
        return cls.from_yaml(example_text())


def example_text() -> str:
    return files("reconciler.sandbox").joinpath("example.yaml").read_text(encoding="utf-8")
