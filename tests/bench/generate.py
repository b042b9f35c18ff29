"""Makes the packs that are measured: seeded, so that every run and every machine has the same ones. As values, and as
files in a Git repository with two branches that change a few of them.

Every data object is a different table: the worst case for a plan of new shares, which looks up each one it names.
"""

import random
import subprocess
import uuid
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from math import ceil
from pathlib import Path

LINES = ("Sales Operations", "Corporate Finance", "Legal", "Research")
#: Databricks takes no more in one workspace.
SHARES_IN_WORKSPACE = 1000
TABLES_IN_SCHEMA = 100


@dataclass(frozen=True, slots=True)
class Change:
    """What a branch does to its packs: another address of a recipient, another comment of a share."""

    packs: int
    #: Another table in the place of the share's first one.
    swaps_table: bool = False


#: Branches beside `main`.
BRANCHES = {"one": Change(1), "table": Change(1, swaps_table=True), "ten": Change(10, swaps_table=True)}


@dataclass(frozen=True, slots=True)
class Size:
    packs: int
    #: In each pack; every share is granted to all recipients of its pack.
    recipients: int = 2
    shares: int = 2
    #: In each share.
    objects: int = 10

    @property
    def resources(self) -> int:
        return self.packs * (self.recipients + self.shares)

    @property
    def workspaces(self) -> int:
        return ceil(self.packs * self.shares / SHARES_IN_WORKSPACE)

    @property
    def lines(self) -> int:
        """Business lines; each has one workspace, which several may have in common."""
        return len(LINES) if self.workspaces in {1, 2, 4} else self.workspaces

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


@dataclass(frozen=True, slots=True)
class Partner:
    name: str
    comment: str
    #: Of a D2O recipient; a D2D one has none.
    addresses: tuple[str, ...] = ()
    metastore: str = ""


@dataclass(frozen=True, slots=True)
class Offer:
    name: str
    comment: str
    tables: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Pack:
    number: int
    #: Of its business line, among all of them.
    place: int
    requestor: str
    description: str
    partners: tuple[Partner, ...]
    offers: tuple[Offer, ...]

    @property
    def line(self) -> str:
        return line(self.place)

    @property
    def path(self) -> str:
        return f"sharepacks/{_slug(self.line)}/pack_{self.number:05}.yaml"


def packs(size: Size, seed: int) -> Iterator[Pack]:
    chance = random.Random(seed)
    tables = [table(number) for number in range(size.tables)]
    chance.shuffle(tables)
    for number in range(size.packs):
        yield _pack(number, size, tables, chance)


def line(place: int) -> str:
    first = LINES[place % len(LINES)]
    return first if place < len(LINES) else f"{first} {place // len(LINES) + 1}"


def table(number: int) -> str:
    return f"bench.s{number // TABLES_IN_SCHEMA}.t_{number % TABLES_IN_SCHEMA + 1}"


def changed(pack: Pack, spare: str) -> Pack:
    """As `Change` says; with `spare`, unless that is empty, instead of the first table."""
    first, *others = pack.offers
    partner, *rest = pack.partners
    tables = (spare, *first.tables[1:]) if spare else first.tables
    offer = Offer(first.name, f"{first.comment}, changed", tables)
    moved = Partner(partner.name, partner.comment, ("192.0.2.7", *partner.addresses[1:]), partner.metastore)
    return Pack(pack.number, pack.place, pack.requestor, pack.description, (moved, *rest), (offer, *others))


def write_repository(folder: Path, size: Size, seed: int, workspaces: Sequence[str]) -> None:
    """A Git repository with the packs in `sharepacks/`, committed and checked out; and `BRANCHES`."""
    (folder / "sharepacks").mkdir(parents=True)
    (folder / "sharepacks" / "tenants.yaml").write_text(_tenants(size, workspaces), encoding="utf-8")
    first = []
    for pack in packs(size, seed):
        _write(folder, pack)
        if pack.number < max(change.packs for change in BRANCHES.values()):
            first.append(pack)
    _git(folder, "init", "--quiet")
    _commit(folder, "Packs")
    for branch, change in BRANCHES.items():
        _git(folder, "checkout", "--quiet", "-b", branch, "main")
        for pack in first[: change.packs]:
            _write(folder, changed(pack, table(size.tables + pack.number) if change.swaps_table else ""))
        _commit(folder, "A change")
    _git(folder, "checkout", "--quiet", "main")


def sandbox_seed(tables: int) -> str:
    """A workspace that holds at least `tables` tables, and some to spare."""
    schemas = "".join(
        f"    s{number}:\n      .numbered: {{t_: {TABLES_IN_SCHEMA}}}\n"
        for number in range(-(-tables // TABLES_IN_SCHEMA) + 1)
    )
    return f"""\
workspace: {{id: 900800700600}}
metastore: {{name: bench, cloud: azure, region: westeurope}}
principals:
  bench@sandbox.example: {{token: dapi-bench, admin: true}}
catalogs:
  bench:
{schemas}"""


def _write(folder: Path, pack: Pack) -> None:
    path = folder / pack.path
    path.parent.mkdir(exist_ok=True)
    path.write_text("\n".join(_lines(pack)) + "\n", encoding="utf-8")


def _commit(folder: Path, message: str) -> None:
    _git(folder, "add", "--all")
    _git(folder, "commit", "--quiet", "--message", message)


def _git(folder: Path, *arguments: str) -> None:
    author = ["-c", "user.name=Bench", "-c", "user.email=bench@example.com", "-c", "init.defaultBranch=main"]
    subprocess.run(["git", *author, "-c", "gc.auto=0", *arguments], cwd=folder, check=True)


def _tenants(size: Size, workspaces: Sequence[str]) -> str:
    lines = "".join(
        f"  {line(place)}:\n    owner: {_slug(line(place))}@example.com\n    catalogs: [bench]\n"
        f"    workspace: {workspaces[place % len(workspaces)]}\n"
        for place in range(size.lines)
    )
    return f"tenants:\n{lines}"


def _pack(number: int, size: Size, tables: list[str], chance: random.Random) -> Pack:
    firsts = [(number * size.shares + position) * size.objects for position in range(size.shares)]
    return Pack(
        number,
        number % size.lines,
        f"person{chance.randrange(100)}@example.com",
        f"Generated for measuring, number {chance.randrange(10**6)}",
        tuple(_partner(number, position, chance) for position in range(size.recipients)),
        tuple(
            Offer(
                f"share_{number:05}_{position}",
                f"Share {position} of project {number:05}",
                tuple(tables[first : first + size.objects]),
            )
            for position, first in enumerate(firsts)
        ),
    )


def _partner(number: int, position: int, chance: random.Random) -> Partner:
    name, comment = f"partner-{number:05}-{position}", f"Partner {chance.randrange(10**6)}"
    if position % 2:
        return Partner(name, comment, metastore=f"aws:us-west-2:{uuid.UUID(int=chance.getrandbits(128), version=4)}")
    return Partner(name, comment, (f"203.0.113.{chance.randrange(256)}", f"198.51.{chance.randrange(256)}.0/24"))


def _lines(pack: Pack) -> Iterator[str]:
    yield "metadata:"
    yield f"  requestor: {pack.requestor}"
    yield f'  project_name: "Project {pack.number:05}"'
    yield f'  business_line: "{pack.line}"'
    yield f'  description: "{pack.description}"'
    yield "recipient:"
    for partner in pack.partners:
        yield from _recipient(partner)
    yield "share:"
    for offer in pack.offers:
        yield f"  - name: {offer.name}"
        yield f'    comment: "{offer.comment}"'
        yield "    recipients:"
        yield from (f"      - {partner.name}" for partner in pack.partners)
        yield "    data_objects:"
        yield from (f"      - {name}" for name in offer.tables)


def _recipient(partner: Partner) -> Iterator[str]:
    yield f"  - name: {partner.name}"
    if partner.metastore:
        yield "    type: D2D"
        yield f'    metastore_id: "{partner.metastore}"'
    else:
        yield "    type: D2O"
        yield f"    email: {partner.name}@partner.example"
        yield "    allowed_ips:"
        yield from (f"      - {address}" for address in partner.addresses)
    yield f'    comment: "{partner.comment}"'


def _slug(words: str) -> str:
    return words.lower().replace(" ", "-")
