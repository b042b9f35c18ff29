"""What Git attests for a pack, asked of real repositories: everything that was applied from one commit, a later commit
that removes a share and a recipient's address, and every way in which Git may be unable to show that.
"""

import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest

from reconciler.adapters.git import pack_source
from reconciler.core.desired import Desired
from reconciler.core.guard import Attestation
from reconciler.core.key import share_key
from reconciler.core.recorded import PackStatus, Recorded, RecordedPack, RecordedState
from reconciler.stages.attest import attest
from reconciler.stages.read import read_commit, read_working_tree
from tests.adapters.git.conftest import Clone

WORKSPACE = "https://adb-1.example"
PATH = "sharepacks/sales/q1.yaml"
HEADER = """\
metadata: {requestor: ann@example.com, project_name: Q1, business_line: Sales}
recipient:
  - {name: analyst, type: D2O, email: a@partner.example, allowed_ips: [192.0.2.1, 192.0.2.2]}
share:
  - {name: a, recipients: [analyst], data_objects: [cat.sales.a1, cat.sales.a2]}
"""
ALL = HEADER + "".join(
    f"  - {{name: {name}, recipients: [analyst], data_objects: [cat.sales.{name}]}}\n" for name in "bcd"
)
#: Without share/d: something to delete.
FEWER = ALL.replace("  - {name: d, recipients: [analyst], data_objects: [cat.sales.d]}\n", "")
#: Without a table of share/a: something to revoke.
LESS = ALL.replace(", cat.sales.a2", "")
BROKEN = "metadata: {requestor: x@example.com, project_name: B, business_line: Sales}\nshare: 7\n"
D = share_key("d", WORKSPACE)


@pytest.fixture
def packs(tmp_path: Path) -> Clone:
    root = tmp_path / "my packs"
    root.mkdir()
    clone = Clone(root)
    clone.git("init", "--quiet", "--initial-branch=main")
    for name, value in (
        ("user.name", "Ada"),
        ("user.email", "ada@example.org"),
        ("commit.gpgsign", "false"),
        ("uploadpack.allowFilter", "true"),
    ):
        clone.git("config", name, value)
    clone.write(PATH, FEWER)
    clone.write("sharepacks/README.md", "Packs.\n")
    clone.commit("Begin")
    return clone


async def recorded_at(packs: Clone, commit: str = "") -> RecordedState:
    """What is on record after the commit was applied."""
    desired = await read_commit(pack_source(packs.packs), WORKSPACE, commit or "HEAD")
    assert desired.problems == ()
    now = desired.revision.commit
    return RecordedState(
        {
            key: Recorded(declared.resource, pack.id, 1, now)
            for pack in desired.packs.values()
            for key, declared in pack.resources.items()
        },
        packs={
            pack.id: RecordedPack(pack.id, "1", pack.path, WORKSPACE, PackStatus.COMPLETED, now)
            for pack in desired.packs.values()
        },
    )


async def attested(packs: Clone, recorded: RecordedState, desired: Desired | None = None) -> Attestation:
    source = pack_source(packs.packs)
    desired = desired or await read_commit(source, WORKSPACE)
    (pack,) = recorded.packs
    return (await attest(source, desired, [pack], recorded))[pack]


@pytest.fixture
async def applied(packs: Clone) -> RecordedState:
    packs.write(PATH, ALL)
    packs.commit("Add d")
    return await recorded_at(packs)


def applied_commit(recorded: RecordedState) -> str:
    (pack,) = recorded.packs.values()
    return pack.commit


async def test_a_later_commit_shows_what_it_removed(packs: Clone, applied: RecordedState) -> None:
    packs.write(PATH, FEWER)
    packs.commit()
    assert await attested(packs, applied) == Attestation(removed=frozenset({D}))


async def test_a_pack_whose_file_is_gone_has_all_of_it_removed(packs: Clone, applied: RecordedState) -> None:
    (packs.root / PATH).unlink()
    packs.commit()
    assert (await attested(packs, applied)).removed == applied.resources.keys()


Scene = Callable[[Clone, str], Clone]


def shallow(packs: Clone, _: str) -> Clone:
    packs.commit("Later")
    return packs.clone("shallow", "--depth", "1")


def rewound(packs: Clone, applied: str) -> Clone:
    packs.git("reset", "--quiet", "--hard", f"{applied}~1")
    return packs


def diverged(packs: Clone, applied: str) -> Clone:
    rewound(packs, applied)
    packs.commit("Another way")
    return packs


def unrelated(packs: Clone, _: str) -> Clone:
    packs.git("checkout", "--quiet", "--orphan", "other")
    packs.commit("Another beginning")
    return packs


def different(packs: Clone, _: str) -> Clone:
    unrelated(packs, _)
    return packs.clone("different", "--single-branch", "--branch", "other")


def damaged_between(packs: Clone, _: str) -> Clone:
    between = packs.commit("Between")
    packs.commit("Later")
    packs.commit("Latest")
    packs.damage(between)
    return packs


def damaged_then(packs: Clone, applied: str) -> Clone:
    packs.commit("Later")
    packs.damage(applied)
    return packs


SCENES: dict[str, tuple[Scene, str, str]] = {
    "shallow clone": (shallow, "this clone is shallow, its history ends before commit", "fetch-depth: 0"),
    "rewound branch": (rewound, "is older than commit", "git revert"),
    "rewritten branch": (diverged, "does not descend from commit", "git merge -s ours"),
    "unrelated history": (unrelated, "has no history in common with commit", "--allow-unrelated-histories"),
    "different repository": (different, "this repository does not have commit", "different repository"),
    "damaged commit in between": (damaged_between, "cannot be read", "git fsck"),
    "damaged commit on record": (damaged_then, "cannot be read", "git fsck"),
}


@pytest.mark.parametrize(("scene", "why", "hint"), SCENES.values(), ids=SCENES.keys())
async def test_a_history_that_cannot_be_followed_attests_nothing(
    packs: Clone, applied: RecordedState, scene: Scene, why: str, hint: str
) -> None:
    packs.write(PATH, FEWER.replace(", cat.sales.a2", ""))
    packs.commit()
    packs.git("update-ref", "refs/keep/applied", applied_commit(applied))
    found = await attested(scene(packs, applied_commit(applied)), applied)
    assert why in found.refusal
    assert "applied before" in found.refusal
    assert applied_commit(applied)[:12] in found.refusal
    assert hint in found.hint
    assert found.removed == frozenset()


async def test_history_that_cannot_be_followed_for_one_row_is_enough(packs: Clone, applied: RecordedState) -> None:
    """The pack itself may have been submitted from somewhere else since."""
    packs.git("checkout", "--quiet", "-b", "side")
    packs.write(PATH, ALL + "# side\n")
    side = packs.commit("Side")
    packs.git("checkout", "--quiet", "main")
    packs.write(PATH, FEWER)
    packs.commit()
    rows = {key: replace(row, commit=side) if key == D else row for key, row in applied.resources.items()}
    found = await attested(packs, replace(applied, resources=rows))
    assert (side[:12] in found.refusal, found.removed) == (True, frozenset())


async def test_files_that_are_not_committed_attest_nothing(packs: Clone, applied: RecordedState) -> None:
    packs.write(PATH, FEWER)
    found = await attested(packs, applied, await read_working_tree(pack_source(packs.packs), WORKSPACE))
    assert found.refusal == "these files are not committed"


async def test_a_sparse_checkout_attests_nothing_and_names_what_it_leaves_out(
    packs: Clone, applied: RecordedState
) -> None:
    sparse = packs.clone("sparse", "--sparse")
    sparse.git("sparse-checkout", "set", "--cone", "sharepacks/finance")
    desired = await read_working_tree(pack_source(sparse.packs), WORKSPACE)
    assert desired.packs == {}
    found = await attested(sparse, applied, desired)
    assert found.refusal == f"a sparse checkout leaves out {PATH}"
    assert "git sparse-checkout disable" in found.hint
    # The commit itself is whole, whatever is checked out of it.
    assert await attested(sparse, applied) == Attestation()


async def test_an_emptied_checkout_attests_nothing_and_counts_what_is_missing(
    packs: Clone, applied: RecordedState
) -> None:
    shutil.rmtree(packs.packs)
    packs.packs.mkdir()
    found = await attested(packs, applied, await read_working_tree(pack_source(packs.packs), WORKSPACE))
    assert found.refusal.endswith("has 2 files, sharepacks/README.md among them, missing here")
    assert "git checkout HEAD -- " in found.hint


@pytest.mark.parametrize("init", [True, False], ids=["without a commit", "without Git"])
async def test_a_folder_without_history_attests_nothing(packs: Clone, applied: RecordedState, *, init: bool) -> None:
    shutil.rmtree(packs.root / ".git")
    if init:
        packs.git("init", "--quiet")
    found = await attested(packs, applied, await read_working_tree(pack_source(packs.packs), WORKSPACE))
    assert found.refusal == "these files are in no commit, so Git shows no history of them"
    assert "clone it again" in found.hint


@pytest.mark.parametrize("content", [FEWER, LESS], ids=["delete", "revoke"])
async def test_a_partial_clone_attests_nothing_until_it_has_what_stood_there(
    packs: Clone, applied: RecordedState, content: str
) -> None:
    packs.write(PATH, content)
    packs.commit()
    partial = packs.clone("partial", "--filter=blob:none")
    found = await attested(partial, applied)
    assert f"which share/{'d' if content is FEWER else 'a'} was applied from, cannot be read: {PATH}" in found.refusal
    assert "git fetch --refetch --no-filter" in found.hint
    partial.git("fetch", "--quiet", "--refetch", "--no-filter")
    assert await attested(partial, applied) == Attestation(removed=frozenset({D} if content is FEWER else ()))


async def test_a_partial_clone_may_do_what_takes_nothing_away(packs: Clone, applied: RecordedState) -> None:
    packs.write(PATH, ALL.replace("cat.sales.a2", "cat.sales.a2, cat.sales.a3"))
    packs.commit()
    assert await attested(packs.clone("partial", "--filter=blob:none"), applied) == Attestation()


async def test_a_folder_that_had_another_name_then_is_no_removal(packs: Clone, applied: RecordedState) -> None:
    packs.git("mv", "sharepacks", "packs")
    packs.write(PATH.replace("sharepacks", "packs"), FEWER)
    packs.commit()
    source = pack_source(packs.root / "packs")
    (pack,) = applied.packs
    found = (await attest(source, await read_commit(source, WORKSPACE), [pack], applied))[pack]
    assert "There is no folder 'packs' with files in commit" in found.refusal
    assert found.removed == frozenset()


async def test_a_broken_file_is_named_and_holds_its_business_line(packs: Clone, applied: RecordedState) -> None:
    packs.write(PATH, FEWER)
    packs.write("sharepacks/sales/b.yaml", BROKEN)
    packs.write("sharepacks/other.yaml", BROKEN.replace("Sales", "Other"))
    packs.commit()
    found = await attested(packs, applied)
    assert "not every pack of Sales can be read" in found.refusal
    assert "sharepacks/sales/b.yaml" in found.refusal
    assert "other" not in found.refusal.partition(": ")[2]
    assert "validate" in found.hint
    (packs.root / "sharepacks/sales/b.yaml").unlink()
    packs.commit()
    assert (await attested(packs, applied)).removed == {D}


async def test_a_file_that_tells_nothing_of_itself_holds_every_business_line(
    packs: Clone, applied: RecordedState
) -> None:
    packs.write(PATH, FEWER)
    packs.write("sharepacks/x.yaml", b"\xff\xfe<<<<<<< ours\n")
    packs.commit()
    found = await attested(packs, applied)
    assert "sharepacks/x.yaml" in found.refusal


async def test_what_was_declared_in_a_file_that_cannot_be_read_any_more_is_not_attested(
    packs: Clone, applied: RecordedState
) -> None:
    """Rules become stricter: what was a pack when it was applied may be none today."""
    packs.write(PATH, ALL + "nonsense: 1\n")
    stricter = packs.commit("As if the rule were new")
    rows = {key: replace(row, commit=stricter) for key, row in applied.resources.items()}
    packs.write(PATH, FEWER)
    packs.commit()
    own = {pack: replace(row, commit=stricter) for pack, row in applied.packs.items()}
    found = await attested(packs, RecordedState(rows, packs=own))
    assert f"has files with problems, so Git does not show who declared it: {PATH}" in found.refusal
    assert "declare it again" in found.hint
    # As the hint says: it stood in the commit that the pack was applied from since.
    packs.write(PATH, ALL)
    again = packs.commit("Declare it again")
    packs.write(PATH, FEWER)
    packs.commit()
    own = {pack: replace(row, commit=again) for pack, row in applied.packs.items()}
    assert await attested(packs, RecordedState(rows, packs=own)) == Attestation(removed=frozenset({D}))


async def test_what_never_stood_in_the_commit_on_record_is_not_attested(packs: Clone, applied: RecordedState) -> None:
    packs.write(PATH, FEWER)
    packs.commit()
    never = share_key("never", WORKSPACE)
    rows = {**applied.resources, never: applied.resources[D]}
    assert await attested(packs, replace(applied, resources=rows)) == Attestation(removed=frozenset({D}))


@pytest.mark.parametrize("content", [FEWER, LESS], ids=["delete", "revoke"])
async def test_what_was_applied_from_uncommitted_files_is_not_taken_away_by_a_commit_without_it(
    packs: Clone, applied: RecordedState, content: str
) -> None:
    """An uncommitted apply leaves no commit on record, so a rewound branch could not be told any more."""
    rows = {key: replace(row, commit="") for key, row in applied.resources.items()}
    packs.write(PATH, content)
    packs.commit()
    found = await attested(packs, replace(applied, resources=rows))
    if content is LESS:
        assert found.refusal == (
            "share/a was applied from files that were not committed, so no commit shows what stood there"
        )
        assert "commit what was applied" in found.hint
    assert found.removed <= {D}


async def test_the_same_commit_again_attests_and_takes_nothing(packs: Clone, applied: RecordedState) -> None:
    assert await attested(packs, applied) == Attestation()
