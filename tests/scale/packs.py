"""The fleet as values: packs written as YAML and read by the real reader, the rows that say they were applied, and the
workspaces that hold what the rows say. Changes to packs are changes to their files."""

import random
import uuid
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

from reconciler.core.actual import Observed, Token
from reconciler.core.calls import Operation
from reconciler.core.desired import Desired, Revision
from reconciler.core.encoding import digest
from reconciler.core.guard import Attestation
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.managed import UNMANAGED
from reconciler.core.pack import SharePack
from reconciler.core.pack_encoding import encode_pack
from reconciler.core.plan import Plan, Step
from reconciler.core.planning import World, keys_in_scope, make_plan
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import PackStatus, Recorded, RecordedPack, RecordedState
from reconciler.core.resource import Resource
from reconciler.core.share import ObjectType, Share
from reconciler.core.verdict import Forget, Record
from reconciler.packs.reading import read_packs
from tests.core.model import DAY, NOW, ModelWorkspace
from tests.core.worlds import GenerousCatalog, as_actual
from tests.scale.assumed import ROTATE_DAYS, Fleet

_COMMIT = "c" * 40


@dataclass(slots=True)
class Pack:
    """One file, before it is written."""

    number: int
    line: int
    #: Name → its further lines.
    recipients: dict[str, list[str]]
    shares: dict[str, list[str]]
    comment: str

    @property
    def path(self) -> str:
        return f"sharepacks/line-{self.line:03}/pack_{self.number:06}.yaml"

    def text(self) -> str:
        lines = [
            "metadata:",
            f"  requestor: person{self.number % 100}@example.com",
            f'  project_name: "Project {self.number:06}"',
            f'  business_line: "Line {self.line:03}"',
            f'  description: "{self.comment}"',
            "recipient:",
        ]
        for name, more in self.recipients.items():
            lines += [f"  - name: {name}", *(f"    {each}" for each in more)]
        lines.append("share:")
        for name, objects in self.shares.items():
            lines += [f"  - name: {name}", f'    comment: "Share of project {self.number:06}"', "    recipients:"]
            lines += [f"      - {each}" for each in self.recipients]
            lines += ["    data_objects:", *(f"      - {each}" for each in objects)]
        return "\n".join(lines) + "\n"


@dataclass(slots=True)
class Estate:
    """Everything there is, and how it changes. Seconds are those of the day."""

    fleet: Fleet
    chance: random.Random
    packs: dict[PackId, SharePack] = field(default_factory=dict)
    drafts: dict[PackId, Pack] = field(default_factory=dict)
    rows: dict[Key, Recorded] = field(default_factory=dict)
    pack_rows: dict[PackId, RecordedPack] = field(default_factory=dict)
    workspaces: dict[str, ModelWorkspace] = field(default_factory=dict)
    owned: dict[PackId, set[Key]] = field(default_factory=dict)
    #: Raised with everything that may change a plan of the line.
    moves: dict[str, int] = field(default_factory=dict)

    @property
    def lines(self) -> Mapping[str, list[PackId]]:
        found: dict[str, list[PackId]] = {}
        for pack in self.packs:
            found.setdefault(pack.business_line_key, []).append(pack)
        return found

    def edit(self, pack: PackId) -> None:
        """Somebody changes the file, as people do: mostly one more table, now and then less."""
        draft, chance = self.drafts[pack], self.chance
        share = chance.choice(sorted(draft.shares))
        what = chance.choices(("table", "removal", "recipient", "addresses"), (60, 15, 15, 10))[0]
        if what == "table":
            draft.shares[share].append(f"main.new.t_{draft.number}_{chance.randrange(10**9)}")
        elif what == "removal":
            draft.shares[share].pop()
        elif what == "recipient":
            draft.recipients[f"guest-{draft.number:06}-{chance.randrange(10**6)}"] = _open(chance)
        else:
            first = next(iter(draft.recipients))
            draft.recipients[first] = _open(chance)
        self.read([draft])

    def read(self, drafts: Collection[Pack]) -> None:
        """What the daemon does with changed files."""
        desired = read_packs(
            files_of(drafts, self.fleet), Revision(_COMMIT, is_committed=True), "", packs_folder="sharepacks"
        )
        assert not desired.problems, desired.problems[:3]
        self.packs |= desired.packs
        for pack, draft in zip(sorted(desired.packs, key=str), sorted(drafts, key=lambda each: each.path), strict=True):
            self.drafts[pack] = draft
            self.moved(pack)

    def by_hand(self, key: Key) -> PackId:
        """Somebody takes an object out of a share in the workspace."""
        where = self.workspaces[key.workspace]
        share = where.resources[key]
        assert isinstance(share, Share)
        assert isinstance(share.objects, frozenset)
        gone = self.chance.choice(sorted(share.objects, key=str))
        where.resources[key] = replace(share, objects=share.objects - {gone})
        pack = self.rows[key].pack
        self.moved(pack)
        return pack

    def moved(self, pack: PackId) -> None:
        self.moves[pack.business_line_key] = self.moves.get(pack.business_line_key, 0) + 1

    def desired(self, scope: Collection[PackId]) -> Desired:
        return Desired(
            Revision(_COMMIT, is_committed=True), {pack: self.packs[pack] for pack in scope if pack in self.packs}
        )

    def plan(self, scope: Collection[PackId], now: float) -> Plan:
        """By the real planner, of the real values. What else is in the repository decides nothing about these."""
        desired = self.desired(scope)
        rows = {key: self.rows[key] for pack in scope for key in self.owned.get(pack, ())}
        rows_of = {pack: self.pack_rows[pack] for pack in scope if pack in self.pack_rows}
        recorded = RecordedState(rows, {}, rows_of)
        keys = keys_in_scope(desired, scope, recorded)
        declared = {key for pack in desired.packs.values() for key in pack.resources}
        world = World(
            recorded,
            self.observe(keys, now),
            _milliseconds(now),
            catalogs=dict.fromkeys(self.workspaces, GenerousCatalog()),
            attestations=dict.fromkeys(scope, Attestation(removed=frozenset(rows) - declared)),
        )
        return make_plan(desired, scope, world)

    def observe(self, keys: Collection[Key], now: float) -> dict[Key, Observed]:
        actual: dict[Key, Observed] = {}
        for url in {key.workspace for key in keys}:
            where = self.workspaces[url]
            where.now = _milliseconds(now)
            actual |= where.observe([key for key in keys if key.workspace == url])
        return actual

    def perform(self, pack: PackId, operation: Operation, now: float) -> None:
        """The row follows the call."""
        where = self.workspaces[operation.key.workspace]
        where.now = _milliseconds(now)
        where.perform(operation.call)
        self.record(pack, operation.key, operation.after)

    def settle(self, pack: PackId, step: Step) -> None:
        """What needs no call, but a row."""
        match step.verdict:
            case Record(_, after):
                self.record(pack, step.key, after)
            case Forget():
                self.record(pack, step.key, None)
            case _:
                pass

    def record(self, pack: PackId, key: Key, after: Resource | None) -> None:
        self.moved(pack)
        if after is None:
            self.rows.pop(key, None)
            self.owned[pack].discard(key)
            return
        version = self.rows[key].version + 1 if key in self.rows else 1
        self.rows[key] = Recorded(after, pack, version, _COMMIT)
        self.owned.setdefault(pack, set()).add(key)

    def completed(self, pack: SharePack) -> None:
        self.moved(pack.id)
        self.pack_rows[pack.id] = _pack_row(pack)


def estate(fleet: Fleet, seed: int, *, is_applied: bool = True) -> Estate:
    chance = random.Random(seed)
    made = Estate(fleet, chance)
    for line in range(fleet.workspaces):
        made.workspaces[workspace_url(line)] = ModelWorkspace()
    drafts = [draft(number, fleet, chance) for number in range(fleet.packs)]
    made.read(drafts)
    if is_applied:
        for pack in made.packs.values():
            _apply(made, pack)
    return made


def draft(number: int, fleet: Fleet, chance: random.Random) -> Pack:
    recipients = {
        f"partner-{number:06}-{each}": _open(chance) if each % 2 == 0 else _databricks(chance)
        for each in range(fleet.recipients)
    }
    shares = {
        f"share_{number:06}_{each}": [
            f"main.s{chance.randrange(1000)}.t_{number}_{each}_{one}" for one in range(fleet.objects_in_share)
        ]
        for each in range(fleet.shares)
    }
    comment = f"Generated for the simulation, number {chance.randrange(10**6)}"
    return Pack(number, number // fleet.packs_in_workspace, recipients, shares, comment)


def files_of(drafts: Collection[Pack], fleet: Fleet) -> dict[str, bytes]:
    """With the tenants file that gives every line its workspace."""
    lines = "".join(
        f'  "Line {line:03}":\n    workspace: {workspace_url(line)}\n    catalogs: [main]\n'
        for line in sorted({each.line for each in drafts})
    )
    files = {"sharepacks/tenants.yaml": f"tenants:\n{lines}".encode()}
    return files | {each.path: each.text().encode() for each in drafts}


def workspace_url(line: int) -> str:
    return f"https://adb-{line:04}.azuredatabricks.net"


def _open(chance: random.Random) -> list[str]:
    return [
        "type: D2O",
        "email: partner@partner.example",
        f"rotate_every: {ROTATE_DAYS.value:.0f}d",
        f"allowed_ips: [203.0.113.{chance.randrange(256)}, 198.51.{chance.randrange(256)}.0/24]",
    ]


def _databricks(chance: random.Random) -> list[str]:
    return ["type: D2D", f'metastore_id: "azure:westeurope:{uuid.UUID(int=chance.getrandbits(128), version=4)}"']


def _apply(made: Estate, pack: SharePack) -> None:
    """As a day before this one left it. Tokens were made at any time since the last rotation would have come."""
    for key, declared in pack.resources.items():
        resource = _typed(declared.resource)
        where = made.workspaces[key.workspace]
        actual = as_actual(resource)
        where.resources[key] = actual
        if isinstance(actual, Recipient) and isinstance(actual.authentication, TokenSharing):
            age = round(made.chance.random() * ROTATE_DAYS.value * DAY)
            where.tokens[key] = [Token(f"{key.name}-0", NOW - age, NOW - age + 365 * DAY)]
        made.record(pack.id, key, resource)
    made.completed(pack)


def _typed(resource: Resource) -> Resource:
    if not isinstance(resource, Share) or resource.objects is UNMANAGED:
        return resource
    return replace(resource, objects=frozenset(replace(each, type=ObjectType.TABLE) for each in resource.objects))


def _pack_row(pack: SharePack) -> RecordedPack:
    return RecordedPack(
        pack.id,
        str(uuid.uuid5(uuid.NAMESPACE_URL, str(pack.id))),
        pack.path,
        pack.workspace,
        PackStatus.COMPLETED,
        _COMMIT,
        digest(encode_pack(pack)),
        generation=1,
        applied_commit=_COMMIT,
    )


def _milliseconds(now: float) -> int:
    return NOW + round(now * 1000)


def resources_of(pack: SharePack) -> tuple[int, int]:
    """Recipients and shares."""
    kinds = [key.kind for key in pack.resources]
    return kinds.count(Kind.RECIPIENT), kinds.count(Kind.SHARE)
