"""Where a branch left another: told exactly, or said that this clone cannot tell."""

from pathlib import Path

import pytest

from reconciler.adapters.git import FolderPackSource, pack_source
from reconciler.ports.pack_source import PackSourceError
from tests.adapters.git.conftest import PACK, Clone, with_one_pack
from tests.repositories import begin

TOO_SHALLOW = r"(?s)shallow.*`fetch-depth: 0`.*`git fetch --unshallow`"


@pytest.fixture
def branched(tmp_path: Path) -> Clone:
    """`main` has three commits more than `Ümläut/branch`, which has three of its own; checked out is `main`."""

    def make() -> None:
        clone = with_one_pack(tmp_path)
        clone.git("switch", "--quiet", "--create", "Ümläut/branch")
        for number in range(3):
            clone.write("sharepacks/sales/q2 ü.yaml", f"branch {number}\n")
            clone.commit(f"branch {number}")
        clone.git("switch", "--quiet", "main")
        for number in range(3):
            clone.write(PACK, f"main {number}\n")
            clone.commit(f"main {number}")

    begin(tmp_path, ["my packs"], "two branches", make)
    return Clone(tmp_path / "my packs")


async def test_it_is_the_commit_that_both_descend_from(branched: Clone) -> None:
    base = await pack_source(branched.packs).merge_base("main", "Ümläut/branch")
    assert base == branched.git("rev-parse", "main~3")
    assert (await pack_source(branched.packs).committed(base)).files == {PACK: b"metadata: {}\n"}


async def test_of_a_branch_that_was_brought_up_to_date_it_is_what_it_was_brought_to(branched: Clone) -> None:
    branched.git("switch", "--quiet", "Ümläut/branch")
    branched.git("merge", "--quiet", "--no-edit", "main~1")
    assert await pack_source(branched.packs).merge_base("main", "HEAD") == branched.git("rev-parse", "main~1")


async def test_of_two_in_one_line_it_is_the_older_one(branched: Clone) -> None:
    older = branched.git("rev-parse", "main~2")
    source = pack_source(branched.packs)
    assert await source.merge_base(older, "main") == older
    assert await source.merge_base("main", older) == older
    assert await source.merge_base(older, older) == older


async def test_of_the_merge_of_a_pull_request_it_is_the_tip_of_the_branch_it_goes_into(branched: Clone) -> None:
    branched.git("switch", "--quiet", "--detach", "main")
    branched.git("merge", "--quiet", "--no-edit", "Ümläut/branch")
    assert await pack_source(branched.packs).merge_base("main", "HEAD") == branched.git("rev-parse", "main")


async def test_in_a_bare_repository(branched: Clone) -> None:
    bare = branched.clone("bare.git", "--bare")
    base = await pack_source(bare.root / "sharepacks").merge_base("main", "Ümläut/branch")
    assert base == branched.git("rev-parse", "main~3")


async def test_two_without_a_common_past_have_none(clone: Clone) -> None:
    clone.git("switch", "--quiet", "--orphan", "other")
    clone.write(PACK)
    clone.commit()
    with pytest.raises(PackSourceError, match=r"'other' and 'main' have no commit in common"):
        await pack_source(clone.packs).merge_base("main", "other")


@pytest.mark.parametrize("name", ["nowhere", "", "--all", "main^{tree}"])
async def test_a_revision_that_is_no_commit_is_named(clone: Clone, name: str) -> None:
    with pytest.raises(PackSourceError, match="There is no commit"):
        await pack_source(clone.packs).merge_base(name, "HEAD")
    with pytest.raises(PackSourceError, match="There is no commit"):
        await pack_source(clone.packs).merge_base("HEAD", name)


async def test_a_branch_that_a_shallow_clone_leaves_out_is_explained(branched: Clone) -> None:
    shallow = branched.clone("shallow", "--depth", "1")
    with pytest.raises(PackSourceError, match=TOO_SHALLOW):
        await pack_source(shallow.packs).merge_base("origin/Ümläut/branch", "HEAD")
    shallow.git("fetch", "--quiet", "--unshallow")
    shallow.git("fetch", "--quiet", "origin", "+refs/heads/*:refs/remotes/origin/*")
    base = await pack_source(shallow.packs).merge_base("origin/Ümläut/branch", "HEAD")
    assert base == branched.git("rev-parse", "main~3")


async def test_history_that_ends_before_the_branch_began_is_explained(branched: Clone) -> None:
    shallow = branched.clone("shallow", "--depth", "2", "--no-single-branch")
    with pytest.raises(PackSourceError, match=TOO_SHALLOW):
        await pack_source(shallow.packs).merge_base("origin/main", "origin/Ümläut/branch")


async def test_history_that_reaches_far_enough_is_enough(branched: Clone) -> None:
    branched.git("switch", "--quiet", "--create", "later", "main")
    branched.write(PACK, "later\n")
    branched.commit("later")
    shallow = branched.clone("shallow", "--depth", "3", "--no-single-branch")
    source = pack_source(shallow.packs)
    assert await source.merge_base("origin/main", "origin/later") == branched.git("rev-parse", "main")
    deeper = branched.clone("deeper", "--depth", "4", "--no-single-branch")
    base = await pack_source(deeper.packs).merge_base("origin/main", "origin/Ümläut/branch")
    assert base == branched.git("rev-parse", "main~3")


async def test_an_older_base_that_is_left_over_is_not_taken_for_the_newest(clone: Clone) -> None:
    """The branch was brought up to date by a merge whose second parent the shallow clone leaves out: what it still sees
    in common is older than where the branch really is."""
    old = clone.git("rev-parse", "main")
    clone.write(PACK, "two\n")
    newer = clone.commit("two")
    clone.git("switch", "--quiet", "--create", "branch", old)
    clone.write("sharepacks/b.yaml")
    clone.commit("on the branch")
    clone.git("merge", "--quiet", "--no-edit", "main")
    updated = clone.git("rev-parse", "HEAD")
    clone.git("switch", "--quiet", "main")
    clone.write(PACK, "three\n")
    clone.commit("three")
    assert await pack_source(clone.packs).merge_base("main", "branch") == newer
    cut = clone.clone("cut")
    cut.git("branch", "--quiet", "kept", old)
    (cut.root / ".git" / "shallow").write_text(f"{updated}\n")
    with pytest.raises(PackSourceError, match=TOO_SHALLOW):
        await pack_source(cut.packs).merge_base("main", "origin/branch")


async def test_a_clone_without_file_contents_is_enough(branched: Clone) -> None:
    partial = branched.clone("partial", "--filter=blob:none", "--no-checkout")
    base = await pack_source(partial.packs).merge_base("origin/main", "origin/Ümläut/branch")
    assert base == branched.git("rev-parse", "main~3")


async def test_damaged_history_is_named(branched: Clone) -> None:
    branched.damage("main~2")
    with pytest.raises(PackSourceError, match="damaged"):
        await pack_source(branched.packs).merge_base("main", "Ümläut/branch")


async def test_a_folder_outside_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(PackSourceError, match=r"is not in a Git repository, so .*`git init`"):
        await FolderPackSource(tmp_path).merge_base("main", "HEAD")
