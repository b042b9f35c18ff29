"""The doctor over real ports, with things broken on purpose; and what it makes of facts."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
import pytest_asyncio
from pydantic import SecretStr

from reconciler.adapters.databricks.platform import DatabricksPlatform
from reconciler.adapters.git.source import pack_source
from reconciler.adapters.postgres.as_it_is import open_as_it_is
from reconciler.adapters.postgres.doorbell import PostgresDoorbell
from reconciler.adapters.postgres.ledger import PostgresLedger
from reconciler.core.changes import Cause
from reconciler.core.checkup import Finding, Level
from reconciler.core.desired import Desired, Revision
from reconciler.core.key import recipient_key, share_key
from reconciler.core.problem import Problem, Severity, Where
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import PackStatus
from reconciler.core.resource import Resource
from reconciler.core.rights import Caller, rights_objections
from reconciler.core.share import Share
from reconciler.core.verdict import Create
from reconciler.ports.ledger import Daemon, DatabaseFacts, Figures
from reconciler.ports.platform import Platform
from reconciler.sandbox import ControlClient, Sandbox, Seed
from reconciler.stages import doctor_words as words
from reconciler.stages.doctor import Reach, examine
from tests.journeys.journey import git
from tests.journeys.packs import SALES
from tests.lent import Lender

NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
PRIVILEGES = ("CREATE_RECIPIENT", "CREATE_SHARE", "USE_RECIPIENT", "USE_SHARE", "SET_SHARE_PERMISSION")
GUEST = "guest@sandbox.example"
OK, WARN, FAIL = Level.OK, Level.WARN, Level.FAIL


@dataclass(frozen=True)
class Skewed:
    """This machine's clock, wrong."""

    by: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.by

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(seconds)


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with Sandbox(Seed.example()).serving() as url:
        yield url


@pytest.fixture
def control(sandbox_url: str) -> Iterator[ControlClient]:
    client = ControlClient(sandbox_url)
    client.reset()
    yield client
    client.reset()


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """A clone, with a space in its path, of a repository with one pack."""
    origin, clone = tmp_path / "origin", tmp_path / "a clone"
    (origin / "sharepacks").mkdir(parents=True)
    (origin / "sharepacks" / "q1.yaml").write_text(SALES, encoding="utf-8")
    git(origin, "init", "--quiet")
    git(origin, "add", "--all")
    git(origin, "commit", "--quiet", "--message", "One pack")
    git(tmp_path, "clone", "--quiet", str(origin), str(clone))
    return clone


@dataclass
class World:
    repository: Path
    url: str
    dsn: str
    control: ControlClient
    reach: Reach

    async def findings(self, patience: float = 60.0) -> list[Finding]:
        return list(await examine(self.reach, patience))

    async def of(self, subject: str) -> list[Finding]:
        return [finding for finding in await self.findings() if finding.subject == subject]

    async def one(self, subject: str) -> Finding:
        (finding,) = await self.of(subject)
        return finding


@pytest_asyncio.fixture
async def world(
    repository: Path, sandbox_url: str, control: ControlClient, migrated_database_url: str, lender: Lender
) -> AsyncIterator[World]:
    platforms: dict[str, Platform] = {}
    ledger = lender.ledger()
    doorbell = await PostgresDoorbell.open(migrated_database_url)

    async def opened_ledger() -> PostgresLedger:
        return ledger

    async def opened_doorbell() -> PostgresDoorbell:
        return doorbell

    def platform() -> Platform:
        return platforms.setdefault("", DatabricksPlatform({"token": SecretStr("dapi-sandbox-admin")}))

    reach = Reach(
        source=pack_source(repository / "sharepacks"),
        ledger=opened_ledger,
        doorbell=opened_doorbell,
        platform=platform,
        clock=Skewed(),
        default_workspace=sandbox_url,
    )
    yield World(repository, sandbox_url, migrated_database_url, control, reach)
    for each in platforms.values():
        await each.close()
    await doorbell.close()
    await ledger.close()


@pytest_asyncio.fixture
async def as_guest(world: World) -> AsyncIterator[World]:
    platform = DatabricksPlatform({"token": SecretStr("dapi-sandbox-guest")})
    world.reach = replace(world.reach, platform=lambda: platform)
    yield world
    await platform.close()


async def test_where_all_is_well_nothing_failed(world: World) -> None:
    findings = await world.findings()
    assert [finding for finding in findings if finding.level is FAIL] == []
    subjects = [finding.subject for finding in findings]
    assert [name for name, _ in itertools.groupby(subjects)] == [
        *("database", "clock", "queue", "fetch", "commit", "packs"),
        *("identity", "metastore", "rights", "daemon", "work"),
    ]
    assert subjects.count("rights") == 6
    assert all(finding.advice for finding in findings if finding.level is not OK)
    assert {finding.workspace for finding in findings} == {"", world.url}


async def test_nothing_is_written(world: World) -> None:
    world.control.clear_log()
    state = world.control.state()
    before = git(world.repository, "status", "--porcelain"), git(world.repository, "rev-parse", "HEAD")
    await world.findings()
    assert world.control.log(writes_only=True) == []
    assert world.control.state() == state
    assert (git(world.repository, "status", "--porcelain"), git(world.repository, "rev-parse", "HEAD")) == before


async def test_a_token_nobody_knows(world: World) -> None:
    platform = DatabricksPlatform({"token": SecretStr("dapi-canarybird")})
    world.reach = replace(world.reach, platform=lambda: platform)
    findings = await world.findings()
    await platform.close()
    (identity,) = (finding for finding in findings if finding.subject == "identity")
    assert identity.level is FAIL
    assert "credentials" in identity.advice
    assert identity.workspace == world.url
    assert "canarybird" not in repr(findings)
    assert not [finding for finding in findings if finding.subject in {"metastore", "rights"}]
    assert [finding.level for finding in findings if finding.subject == "packs"] == [OK], "the others go on"


async def test_a_workspace_that_does_not_answer(world: World) -> None:
    world.control.fault("GET /api/*", status=503, error_code="TEMPORARILY_UNAVAILABLE", retry_after=60, times=0)
    identity = await world.one("identity")
    assert identity.level is FAIL
    assert identity.what.startswith("TEMPORARILY_UNAVAILABLE")


async def test_a_guest_is_told_what_to_have_granted(as_guest: World) -> None:
    rights = {finding.what.partition(":")[0]: finding for finding in await as_guest.of("rights")}
    assert rights["create recipients"].level is FAIL
    assert f"GRANT CREATE RECIPIENT ON METASTORE TO `{GUEST}`;" in rights["create recipients"].advice
    assert rights["create and rename shares"].level is FAIL
    assert rights["read recipients"].level is rights["read shares"].level is WARN
    wanted = f"GRANT USE SHARE ON METASTORE TO `{GUEST}`; GRANT SET SHARE PERMISSION ON METASTORE TO `{GUEST}`;"
    assert wanted in rights["set share permissions"].advice


async def test_what_was_granted_as_told_is_found(as_guest: World) -> None:
    as_guest.control.grant("METASTORE", "", GUEST, *PRIVILEGES)
    rights = await as_guest.of("rights")
    assert [finding.level for finding in rights] == [OK] * 6
    assert not any(finding.advice for finding in rights)


async def test_a_metastore_that_shares_with_nobody_outside(world: World) -> None:
    assert (await world.one("metastore")).level is OK
    world.control.metastore(delta_sharing_scope="INTERNAL")
    platform = DatabricksPlatform({"token": SecretStr("dapi-sandbox-admin")})
    world.reach = replace(world.reach, platform=lambda: platform)
    found = await world.one("metastore")
    await platform.close()
    assert found.level is WARN
    assert "INTERNAL_AND_EXTERNAL" in found.advice


async def test_a_workspace_that_has_asked_to_wait(world: World) -> None:
    ledger = await world.reach.ledger()
    assert ledger is not None
    await ledger.pause(world.url, 300.0, "429")
    found = await world.one("pause")
    assert (found.level, found.workspace) == (WARN, world.url)
    assert "5 min remain" in found.what or "299 s" in found.what or "4" in found.what


async def test_every_workspace_that_packs_or_tenants_name_is_looked_at(world: World) -> None:
    other = "http://127.0.0.1:1"
    tenants = f"tenants:\n  Sales Operations: {{}}\n  Legal:\n    regions: {{EMEA: '{other}'}}\n"
    (world.repository / "sharepacks" / "tenants.yaml").write_text(tenants)
    git(world.repository, "add", "--all")
    git(world.repository, "commit", "--quiet", "--message", "Tenants")
    world.reach = replace(world.reach, revision="HEAD")
    found = {finding.workspace: finding for finding in await world.of("identity")}
    assert found[world.url].level is OK
    assert found[other].level is FAIL


async def test_without_any_workspace(world: World) -> None:
    world.reach = replace(world.reach, default_workspace="")
    (world.repository / "sharepacks" / "q1.yaml").unlink()
    (world.repository / "sharepacks" / "README.md").write_text("None yet.")
    git(world.repository, "add", "--all")
    git(world.repository, "commit", "--quiet", "--message", "None")
    world.reach = replace(world.reach, revision="HEAD")
    assert (await world.one("workspace")).level is FAIL
    assert (await world.one("packs")).level is WARN


@pytest.mark.parametrize(("hours", "side"), [(1, "ahead of"), (-1, "behind")])
async def test_a_clock_that_is_wrong(world: World, hours: int, side: str) -> None:
    world.reach = replace(world.reach, clock=Skewed(timedelta(hours=hours)))
    found = await world.one("clock")
    assert found.level is WARN
    assert f"min {side} the database" in found.what or f"h {side} the database" in found.what


async def test_a_remote_that_is_gone(world: World) -> None:
    git(world.repository, "remote", "set-url", "origin", str(world.repository.parent / "nowhere"))
    fetch = await world.one("fetch")
    assert fetch.level is FAIL
    assert fetch.advice
    assert (await world.one("packs")).level is OK


async def test_a_revision_that_does_not_exist(world: World) -> None:
    world.reach = replace(world.reach, revision="origin/release")
    findings = await world.findings()
    (commit,) = (finding for finding in findings if finding.subject == "commit")
    assert commit.level is FAIL
    assert "origin/release" in commit.what
    assert [finding.level for finding in findings if finding.subject == "identity"] == [OK], "of the default workspace"


async def test_what_is_followed_is_the_upstream_and_not_what_is_checked_out(world: World) -> None:
    ahead = git(world.repository.parent / "origin", "rev-parse", "HEAD")
    git(world.repository, "commit", "--quiet", "--allow-empty", "--message", "Not pushed")
    assert (await world.one("commit")).what.startswith(ahead[:12])


async def test_a_folder_outside_git(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "plain"
    folder.mkdir()
    (folder / "q1.yaml").write_text(SALES, encoding="utf-8")
    world.reach = replace(world.reach, source=pack_source(folder))
    assert (await world.one("git")).level is WARN
    assert (await world.one("packs")).level is OK


async def test_a_folder_that_is_not_there(world: World, tmp_path: Path) -> None:
    world.reach = replace(world.reach, source=pack_source(tmp_path / "nowhere"))
    assert (await world.one("packs")).level is FAIL


async def test_a_pack_with_problems(world: World) -> None:
    (world.repository / "sharepacks" / "q2.yaml").write_text("metadata: 3\n")
    git(world.repository, "add", "--all")
    git(world.repository, "commit", "--quiet", "--message", "Broken")
    world.reach = replace(world.reach, revision="HEAD")
    found = await world.one("packs")
    assert (found.level, found.what) == (WARN, "1 pack in sharepacks, and 1 file with problems")


async def test_a_database_nobody_used_yet(world: World, fresh_database_url: str) -> None:
    world.reach = replace(world.reach, ledger=lambda: open_as_it_is(fresh_database_url))
    found = await world.one("database")
    assert found.level is WARN
    assert "apply" in found.advice
    assert await open_as_it_is(fresh_database_url) is None, "looking made nothing"


async def test_a_daemon_that_leads_and_one_that_cannot_fetch(world: World) -> None:
    ledger = await world.reach.ledger()
    assert ledger is not None
    await ledger.heard_of(Daemon("one:1", leads=True, seen_at=NOW, full_pass_at=datetime.now(UTC), source_failure="no"))
    await ledger.heard_of(Daemon("two:2", leads=False, seen_at=NOW))
    leads, cannot = await world.of("daemon")
    assert leads.level is OK
    assert leads.what.startswith("one:1 leads")
    assert leads.what.endswith("1 other ready to take over")
    assert (cannot.level, cannot.what) == (WARN, "one:1 cannot fetch the packs: no")
    assert (await world.one("full pass")).level is OK


async def test_a_part_that_hangs_or_breaks_stops_no_other(world: World) -> None:
    async def hangs() -> None:
        await asyncio.sleep(60)

    async def breaks() -> None:
        raise KeyError("token=canarybird")

    world.reach = replace(world.reach, ledger=hangs, doorbell=breaks, free_space=lambda: 1 // 0)
    started = asyncio.get_running_loop().time()
    findings = await world.findings(2.0)
    assert asyncio.get_running_loop().time() - started < 20
    found = {finding.subject: finding for finding in findings}
    assert found["database"].what == "no answer within 2 s"
    assert found["queue"].what == "failed in a way nobody expected: KeyError"
    assert found["disk"].what == "failed in a way nobody expected: ZeroDivisionError"
    assert found["packs"].level is OK
    assert "canarybird" not in repr(findings)


FACTS = DatabaseFacts("16.4", "0005", "0005", NOW)
QUIET = Figures(dict.fromkeys(PackStatus, 0), 0, None, 0, 0, 0, None, 0, 0, 0, 12.0)


@pytest.mark.parametrize(("revision", "level"), [("0004", WARN), ("0005", OK), ("0006", FAIL)])
def test_a_schema_of_another_version(revision: str, level: Level) -> None:
    assert words.database(replace(FACTS, revision=revision)).level is level


@pytest.mark.parametrize(
    ("before", "after", "level"),
    [(-1, 1, OK), (-20, -4, OK), (-20, -6, WARN), (4, 30, OK), (6, 7, WARN), (-60, 60, OK)],
)
def test_a_slow_answer_is_no_difference_of_clocks(before: int, after: int, level: Level) -> None:
    at = (NOW + timedelta(seconds=before), NOW + timedelta(seconds=after))
    assert words.clock(FACTS, *at).level is level


@pytest.mark.parametrize(("free", "level"), [(10**7, FAIL), (5 * 10**8, WARN), (10**10, OK)])
def test_room_on_the_disk(free: int, level: Level) -> None:
    assert words.space(free).level is level


def subsets() -> Iterator[frozenset[str]]:
    for size in range(len(PRIVILEGES) + 1):
        yield from map(frozenset, itertools.combinations(PRIVILEGES, size))


@pytest.mark.parametrize("is_admin", [False, True])
def test_it_says_of_rights_what_a_plan_would(*, is_admin: bool) -> None:
    new: dict[str, Resource] = {
        "create recipients": Recipient("a", TokenSharing()),
        "create and rename shares": Share("a"),
    }
    keys = {"create recipients": recipient_key("a", "w"), "create and rename shares": share_key("a", "w")}
    for privileges in subsets():
        caller = Caller("me", privileges=privileges, is_metastore_admin=is_admin)
        found = {finding.what.partition(":")[0]: finding.level for finding in words.rights(caller)}
        for verb, resource in new.items():
            is_held = any(
                each.rule == "rights-missing"
                for each in rights_objections(keys[verb], Create(resource, Cause.FILE), caller, "", {})
            )
            assert (found[verb] is FAIL) == is_held, (verb, privileges)


def test_a_name_with_a_backtick_stays_one_name() -> None:
    (advice,) = {each.advice for each in words.rights(Caller("a`b")) if each.what.startswith("create recipients")}
    assert "TO `a``b`;" in advice


def daemon(name: str, seconds: float, *, leads: bool = False) -> Daemon:
    return Daemon(name, leads, NOW - timedelta(seconds=seconds))


@pytest.mark.parametrize(
    ("heard_of", "level", "said"),
    [
        ([], WARN, "no daemon was heard of within a day"),
        ([daemon("a", 3, leads=True)], OK, "a leads, heard of 3 s ago"),
        ([daemon("a", -3, leads=True)], OK, "a leads, heard of 0 s ago"),
        ([daemon("a", 3), daemon("b", 5)], WARN, "2 daemons and none of them leads"),
        ([daemon("a", 3), daemon("b", 500, leads=True)], WARN, "1 daemon and none of them leads"),
        ([daemon("a", 86_000), daemon("b", 7300, leads=True)], FAIL, "b was heard of 2 h ago, and nobody since"),
    ],
)
def test_daemons(heard_of: list[Daemon], level: Level, said: str) -> None:
    (found,) = words.daemons(heard_of, NOW)
    assert (found.level, found.what) == (level, said)


@pytest.mark.parametrize(("last", "level"), [(None, WARN), (1799.0, OK), (1801.0, FAIL)])
def test_the_last_full_pass(last: float | None, level: Level) -> None:
    assert words.full_pass(last, 1800).level is level


def test_work_that_is_quiet() -> None:
    (found,) = words.work(QUIET)
    assert (found.level, found.what) == (OK, "0 packs waiting or being worked on")


def test_work_that_needs_somebody() -> None:
    busy = replace(
        QUIET,
        unfinished=2,
        oldest_unfinished=3000.0,
        needing_attention=1,
        unknown_outcomes=3,
        drifted=1,
        oldest_drift=200_000.0,
        suspended=2,
        contested=1,
    )
    assert [(each.subject, each.level, each.what) for each in words.work(busy)] == [
        ("work", WARN, "1 pack failed in a way nobody understands"),
        ("work", WARN, "of 3 calls to Databricks nobody knows what came"),
        ("work", WARN, "2 packs waiting or being worked on, the oldest for 50 min"),
        ("drift", OK, "1 resource changed by hand and not corrected, the oldest for 2 days"),
        ("holds", OK, "2 packs suspended, 1 field contested"),
    ]


@pytest.mark.parametrize(
    ("severity", "packs", "level"), [(Severity.WARNING, 0, WARN), (Severity.ERROR, 0, FAIL)], ids=str
)
def test_packs_none_of_which_can_be_read(severity: Severity, packs: int, level: Level) -> None:
    problem = Problem(Where("sharepacks/q1.yaml"), "rule", "message", severity=severity)
    assert words.packs(Desired(Revision(), {}, [problem]), "sharepacks").level is level
