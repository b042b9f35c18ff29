"""Makes the repositories that are measured: seeded, so that every run and every machine has the same packs.

Every data object is a different table: the worst case for a plan of new shares, which looks up each one it names.
"""

import random
import subprocess
import uuid
from collections.abc import Iterator
from dataclasses import dataclass
from math import ceil
from pathlib import Path

LINES = ("Sales Operations", "Corporate Finance", "Legal", "Research")
TABLES_IN_SCHEMA = 100


@dataclass(frozen=True, slots=True)
class Size:
    packs: int
    #: In each pack; every share is granted to all recipients of its pack.
    recipients: int = 2
    shares: int = 2
    #: In each share.
    objects: int = 10

    @property
    def tables(self) -> int:
        return self.packs * self.shares * self.objects

    @property
    def schemas(self) -> int:
        return ceil(self.tables / TABLES_IN_SCHEMA)

    @property
    def metastores(self) -> int:
        """D2D recipients of each pack."""
        return self.recipients // 2


def write_repository(folder: Path, size: Size, seed: int) -> None:
    """A Git repository with the packs in `sharepacks/`, committed."""
    chance = random.Random(seed)
    tables = [f"bench.s{number // TABLES_IN_SCHEMA}.t_{number % TABLES_IN_SCHEMA + 1}" for number in range(size.tables)]
    chance.shuffle(tables)
    packs = folder / "sharepacks"
    for line in LINES:
        (packs / _slug(line)).mkdir(parents=True)
    (packs / "tenants.yaml").write_text(_tenants(), encoding="utf-8")
    for number in range(size.packs):
        line = LINES[number % len(LINES)]
        text = "\n".join(_pack(number, line, size, tables, chance)) + "\n"
        (packs / _slug(line) / f"pack_{number:05}.yaml").write_text(text, encoding="utf-8")
    for arguments in (["init", "--quiet"], ["add", "--all"], ["commit", "--quiet", "--message", "Packs"]):
        author = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "init.defaultBranch=main"]
        subprocess.run(["git", *author, *arguments], cwd=folder, check=True)


def sandbox_seed(tables: int) -> str:
    """A workspace that holds at least `tables` tables."""
    schemas = "".join(
        f"    s{number}:\n      .numbered: {{t_: {TABLES_IN_SCHEMA}}}\n"
        for number in range(-(-tables // TABLES_IN_SCHEMA))
    )
    return f"""\
workspace: {{id: 900800700600}}
metastore: {{name: bench, cloud: azure, region: westeurope}}
principals:
  bench@sandbox.example: {{token: dapi-bench, admin: true}}
catalogs:
  bench:
{schemas}"""


def _tenants() -> str:
    lines = "".join(f"  {line}:\n    owner: {_slug(line)}@example.com\n    catalogs: [bench]\n" for line in LINES)
    return f"tenants:\n{lines}"


def _pack(number: int, line: str, size: Size, tables: list[str], chance: random.Random) -> Iterator[str]:
    yield "metadata:"
    yield f"  requestor: person{chance.randrange(100)}@example.com"
    yield f'  project_name: "Project {number:05}"'
    yield f'  business_line: "{line}"'
    yield f'  description: "Generated for measuring, number {chance.randrange(10**6)}"'
    yield "recipient:"
    names = [f"partner-{number:05}-{position}" for position in range(size.recipients)]
    for position, name in enumerate(names):
        yield from _recipient(name, chance, is_open=position % 2 == 0)
    yield "share:"
    for position in range(size.shares):
        first = (number * size.shares + position) * size.objects
        yield f"  - name: share_{number:05}_{position}"
        yield f'    comment: "Share {position} of project {number:05}"'
        yield "    recipients:"
        yield from (f"      - {name}" for name in names)
        yield "    data_objects:"
        yield from (f"      - {table}" for table in tables[first : first + size.objects])


def _recipient(name: str, chance: random.Random, *, is_open: bool) -> Iterator[str]:
    yield f"  - name: {name}"
    if is_open:
        yield "    type: D2O"
        yield f"    email: {name}@partner.example"
        yield "    allowed_ips:"
        yield f"      - 203.0.113.{chance.randrange(256)}"
        yield f"      - 198.51.{chance.randrange(256)}.0/24"
    else:
        yield "    type: D2D"
        yield f'    metastore_id: "aws:us-west-2:{uuid.UUID(int=chance.getrandbits(128), version=4)}"'
    yield f'    comment: "Partner {chance.randrange(10**6)}"'


def _slug(line: str) -> str:
    return line.lower().replace(" ", "-")
