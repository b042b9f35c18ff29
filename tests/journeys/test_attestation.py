"""Packs were applied; then Git cannot show that a commit removed something. Nothing is deleted or revoked, the plan
says what Git could not show and what to do, and doing that lets the same removal through."""

import shutil
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio

from reconciler.adapters.git.source import pack_source
from reconciler.core.plan import Plan
from reconciler.ports.pack_source import PackSourceError
from reconciler.stages.read import read_commit
from tests.journeys.journey import Journey, git

HEADER = """\
metadata: {requestor: pat@example.com, project_name: Q1, business_line: Sales Operations}
recipient:
  - {name: analyst, type: D2O, email: a@partner.example}
share:
"""
FIRST = """\
  - name: s1
    recipients: [analyst]
    data_objects: [prod_catalog.sales.transactions, prod_catalog.sales.refunds]
"""
OTHERS = "".join(
    f"  - {{name: {name}, recipients: [analyst], data_objects: [prod_catalog.marketing.{table}]}}\n"
    for name, table in (("s2", "campaigns"), ("s3", "leads"))
)
LAST = "  - {name: s4, recipients: [analyst], data_objects: [prod_catalog.sales.customers]}\n"
FOUR = HEADER + FIRST + OTHERS + LAST
#: Share s4 is gone, and share s1 has lost a table.
FEWER = HEADER + FIRST.replace(", prod_catalog.sales.refunds", "") + OTHERS
PATH = "sales/four.yaml"
FILE = f"sharepacks/{PATH}"
BROKEN = "metadata: {requestor: x@example.com, project_name: B, business_line: Sales Operations}\nshare: 7\n"


@pytest_asyncio.fixture
async def applied(journey: Journey) -> AsyncIterator[Journey]:
    """FOUR, applied from the second commit; the first has FEWER."""
    git(journey.repository, "config", "uploadpack.allowFilter", "true")
    journey.save(PATH, FEWER)
    journey.save(PATH, FOUR)
    git(journey.repository, "tag", "applied")
    await journey.converge()
    journey.control.clear_log()
    yield journey


def objections(plan: Plan) -> dict[str, tuple[str, str, str]]:
    return {str(step.key): (item.rule, item.message, item.hint) for step in plan.steps for item in step.objections}


def holdings(sdk: Any) -> dict[str, int]:
    """Shares and how many objects each has, as the workspace tells."""
    names = [share.name for share in sdk.shares.list_shares()]
    return {name: len(sdk.shares.get(name, include_shared_data=True).objects or ()) for name in names}


ALL_THERE = {"s1": 2, "s2": 1, "s3": 1, "s4": 1}
REMOVED = {"s1": 1, "s2": 1, "s3": 1}


async def assert_taken_nothing(journey: Journey, sdk: Any, why: str, hint: str, *, committed: bool = True) -> None:
    plan = await journey.plan(committed=committed)
    found = objections(plan)
    assert {key: rule for key, (rule, _, _) in found.items()} == {
        "share/s1": "revoke-not-attested",
        "share/s4": "delete-not-attested",
    }
    for _, message, advice in found.values():
        assert why in message
        assert hint in advice
    await journey.apply(committed=committed)
    assert journey.writes() == []
    assert holdings(sdk) == ALL_THERE


def use(journey: Journey, clone: Path) -> None:
    journey.source = pack_source(clone / "sharepacks")


def clone_of(journey: Journey, *options: str) -> Path:
    clone = journey.repository.parent / "another clone"
    git(journey.repository, "clone", "--quiet", *options, f"file://{journey.repository}", str(clone))
    use(journey, clone)
    return clone


@dataclass(frozen=True)
class Case:
    """What becomes of the repository, what the plan says, and what puts it right. Both get the journey; `spoil` is run
    where FOUR was applied from HEAD and hands to `mend` what it needs."""

    spoil: Callable[[Journey], Path]
    why: str
    hint: str
    mend: Callable[[Journey, Path], object]


def _shallow(journey: Journey) -> Path:
    journey.save(PATH, FEWER)
    return clone_of(journey, "--depth", "1")


def _partial(journey: Journey) -> Path:
    journey.save(PATH, FEWER)
    return clone_of(journey, "--filter=blob:none")


def _rewound(journey: Journey) -> Path:
    git(journey.repository, "reset", "--quiet", "--hard", "applied~1")
    return journey.repository


def _go_back_on_purpose(_: Journey, repository: Path) -> None:
    git(repository, "reset", "--quiet", "--hard", "applied")
    git(repository, "revert", "--no-edit", "HEAD")


def _rewritten(journey: Journey) -> Path:
    _rewound(journey)
    journey.commit("Another way from there")
    return journey.repository


def _unrelated(journey: Journey) -> Path:
    git(journey.repository, "checkout", "--quiet", "--orphan", "other")
    journey.write(PATH, FEWER)
    # In other words than any commit before: with the same ones, in the same second, it could be the very same commit.
    journey.commit("Begin anew")
    return journey.repository


def _different(journey: Journey) -> Path:
    """The same paths in another repository that never heard of this one."""
    other = journey.repository.parent / "other repository"
    other.mkdir()
    git(other, "init", "--quiet")
    (other / FILE).parent.mkdir(parents=True)
    (other / FILE).write_text(FEWER)
    git(other, "add", "--all")
    git(other, "commit", "--quiet", "--message", "The same packs")
    use(journey, other)
    return other


def _apply_from_the_one_before(journey: Journey, _: Path) -> None:
    use(journey, journey.repository)
    journey.save(PATH, FEWER)


def _merge(journey: Journey, repository: Path) -> None:
    git(
        repository,
        "merge",
        "--quiet",
        "-s",
        "ours",
        "--allow-unrelated-histories",
        "-m",
        "This one is meant",
        "applied",
    )


def _damaged(journey: Journey) -> Path:
    applied = git(journey.repository, "rev-parse", "applied")
    for content in (FEWER, FEWER + "# comment\n", FEWER + "# another\n"):
        journey.save(PATH, content)
    broken = journey.repository / ".git" / "objects" / applied[:2] / applied[2:]
    broken.rename(journey.repository / "kept")
    broken.write_bytes(b"garbage")
    return broken


def _put_back(journey: Journey, broken: Path) -> None:
    (journey.repository / "kept").replace(broken)


CASES = {
    "shallow clone": Case(
        _shallow,
        "this clone is shallow",
        "git fetch --unshallow; for actions/checkout, fetch-depth: 0",
        lambda _, clone: git(clone, "fetch", "--quiet", "--unshallow"),
    ),
    "partial clone": Case(
        _partial,
        f"cannot be read: {FILE}: its content",
        "git fetch --refetch --no-filter",
        lambda _, clone: git(clone, "fetch", "--quiet", "--refetch", "--no-filter"),
    ),
    "rewound branch": Case(_rewound, "is older than commit", "git revert", _go_back_on_purpose),
    "rewritten branch": Case(_rewritten, "does not descend from commit", "git merge -s ours", _merge),
    "unrelated history": Case(_unrelated, "no history in common", "--allow-unrelated-histories", _merge),
    "different repository": Case(
        _different, "this repository does not have commit", "different repository", _apply_from_the_one_before
    ),
    "damaged history": Case(_damaged, "cannot be read", "git fsck", _put_back),
}


@pytest.mark.parametrize("case", CASES.values(), ids=CASES.keys())
async def test_what_git_cannot_show_is_not_taken_away_until_it_can(applied: Journey, sdk: Any, case: Case) -> None:
    place = case.spoil(applied)
    await assert_taken_nothing(applied, sdk, case.why, case.hint)
    # Applying once more does not wear the refusal down: what is on record stays where it was.
    await assert_taken_nothing(applied, sdk, case.why, case.hint)
    case.mend(applied, place)
    await applied.converge()
    assert holdings(sdk) == REMOVED


async def test_a_sparse_checkout_takes_nothing_away_and_its_commit_is_whole(applied: Journey, sdk: Any) -> None:
    clone = clone_of(applied, "--sparse")
    git(clone, "sparse-checkout", "set", "--cone", "sharepacks/finance")
    plan = await applied.plan(committed=False)
    found = objections(plan)
    assert {rule for rule, _, _ in found.values()} == {"delete-not-attested"}
    assert len(found) == len(ALL_THERE) + 1
    for _, message, hint in found.values():
        assert message == f"deleting it is held: a sparse checkout leaves out {FILE}"
        assert "git sparse-checkout disable" in hint
    await applied.apply(committed=False)
    assert not (await applied.plan()).has_changes
    git(clone, "sparse-checkout", "disable")
    assert not (await applied.plan(committed=False)).has_changes
    assert applied.writes() == []
    assert holdings(sdk) == ALL_THERE


async def test_an_empty_checkout_takes_nothing_away(applied: Journey, sdk: Any) -> None:
    (applied.repository / FILE).unlink()
    plan = await applied.plan(committed=False)
    for _, message, hint in objections(plan).values():
        assert message.endswith(f"has {FILE}, missing here")
        assert "git checkout HEAD -- PATH" in hint
    assert len(objections(plan)) == len(ALL_THERE) + 1
    await applied.apply(committed=False)
    git(applied.repository, "checkout", "HEAD", "--", FILE)
    assert not (await applied.plan(committed=False)).has_changes
    assert applied.writes() == []
    assert holdings(sdk) == ALL_THERE


async def test_a_broken_file_is_named_and_mending_it_lets_the_removal_through(applied: Journey, sdk: Any) -> None:
    applied.write("sales/broken.yaml", BROKEN)
    applied.save(PATH, FEWER)
    why = "not every pack of Sales Operations can be read, so nobody knows what the others still want: "
    await assert_taken_nothing(applied, sdk, f"{why}sharepacks/sales/broken.yaml", "mend the files")
    (applied.repository / "sharepacks/sales/broken.yaml").unlink()
    applied.commit("Mend")
    await applied.converge()
    assert holdings(sdk) == REMOVED


async def test_an_uncommitted_apply_hides_no_rewind(applied: Journey, sdk: Any) -> None:
    """It leaves no commit on record that a rewound branch could be told by."""
    applied.write(PATH, FOUR.replace("customers]", "customers, prod_catalog.marketing.leads]"))
    await applied.apply(committed=False)
    assert holdings(sdk) == ALL_THERE | {"s4": 2}
    git(applied.repository, "checkout", "HEAD", "--", FILE)
    applied.control.clear_log()
    found = objections(await applied.plan())
    assert found.keys() == {"share/s4"}
    _, message, hint = found["share/s4"]
    assert "share/s4 was applied from files that were not committed" in message
    assert "commit what was applied" in hint
    await applied.apply()
    assert applied.writes() == []
    applied.save(PATH, FOUR.replace("customers]", "customers, prod_catalog.marketing.leads]"))
    await applied.converge()
    applied.save(PATH, FOUR)
    await applied.converge()
    assert holdings(sdk) == ALL_THERE


def _no_commit(journey: Journey) -> str:
    shutil.rmtree(journey.repository / ".git")
    git(journey.repository, "init", "--quiet")
    return "HEAD"


def _no_folder_in_the_commit(journey: Journey) -> str:
    git(journey.repository, "mv", "sharepacks", "elsewhere")
    journey.commit("Move the packs")
    return "HEAD"


def _damaged_file(journey: Journey) -> str:
    oid = git(journey.repository, "rev-parse", f"HEAD:{FILE}")
    damaged = journey.repository / ".git" / "objects" / oid[:2] / oid[2:]
    damaged.unlink()
    damaged.write_bytes(b"garbage")
    return "HEAD"


UNREADABLE = {
    "empty checkout": (_no_commit, r"has no commit yet.*fetch and check out"),
    "missing folder": (_no_folder_in_the_commit, r"no folder 'sharepacks' with files.*Check `packs_dir`"),
    "unknown revision": (lambda _: "no-such-branch", r"no commit 'no-such-branch'.*fetch it"),
    "damaged revision": (_damaged_file, r"damaged.*clone it again"),
}


@pytest.mark.parametrize(("spoil", "message"), UNREADABLE.values(), ids=UNREADABLE.keys())
async def test_a_revision_that_cannot_be_read_is_no_plan(
    applied: Journey, sdk: Any, spoil: Callable[[Journey], str], message: str
) -> None:
    revision = spoil(applied)
    # By a process that has not read it before: what a commit holds is remembered.
    source = pack_source(applied.repository / "sharepacks")
    with pytest.raises(PackSourceError, match=message):
        await read_commit(source, applied.url, revision)
    assert applied.writes() == []
    assert holdings(sdk) == ALL_THERE


async def test_a_missing_folder_is_no_plan_of_the_working_tree(applied: Journey, sdk: Any) -> None:
    shutil.rmtree(applied.repository / "sharepacks")
    with pytest.raises(PackSourceError, match=r"is not checked out: HEAD has 2 files.*git checkout HEAD -- sharepacks"):
        await applied.plan(committed=False)
    git(applied.repository, "checkout", "HEAD", "--", "sharepacks")
    assert not (await applied.plan(committed=False)).has_changes
    assert holdings(sdk) == ALL_THERE
