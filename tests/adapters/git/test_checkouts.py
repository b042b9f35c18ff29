"""Checkouts that do not hold all of a commit: empty, sparse, partial, damaged. Each says what is not there and what
to do, and doing that helps; none looks like a folder from which packs were removed."""

import shutil

import pytest

from reconciler.adapters.git import pack_source
from reconciler.ports.pack_source import Gaps, PackSourceError
from tests.adapters.git.conftest import PACK, Clone

FINANCE = "sharepacks/finance/q1.yaml"


@pytest.fixture
def origin(clone: Clone) -> Clone:
    """Two packs in folders of their own; the first has changed since the first commit."""
    clone.write(FINANCE, "finance\n")
    clone.commit("Add finance")
    clone.write(PACK, "second\n")
    clone.commit("Change sales")
    return clone


async def test_a_whole_checkout_has_no_gaps(origin: Clone) -> None:
    origin.write("sharepacks/new.yaml", "not committed")
    origin.write(PACK, "edited")
    assert await pack_source(origin.packs).gaps() == Gaps()


async def test_files_deleted_by_hand_are_gaps(origin: Clone) -> None:
    (origin.root / PACK).unlink()
    source = pack_source(origin.packs)
    assert await source.gaps() == Gaps(deleted=(PACK,))
    origin.git("checkout", "HEAD", "--", PACK)
    assert await source.gaps() == Gaps()


async def test_a_clone_that_was_never_checked_out_is_not_an_empty_folder(origin: Clone) -> None:
    bare = origin.clone("no checkout", "--no-checkout")
    source = pack_source(bare.packs)
    assert await source.gaps() == Gaps(deleted=(FINANCE, PACK))
    with pytest.raises(PackSourceError, match=r"not checked out: HEAD has 2 files.*git checkout HEAD -- sharepacks"):
        await source.working_tree()
    bare.packs.mkdir()
    tree = await source.working_tree()
    assert (tree.files, tree.revision.is_committed) == ({}, False)
    bare.git("checkout", "HEAD", "--", "sharepacks")
    assert set((await source.working_tree()).files) == {FINANCE, PACK}


async def test_a_folder_that_was_deleted_by_hand_is_not_an_empty_folder(origin: Clone) -> None:
    shutil.rmtree(origin.packs)
    with pytest.raises(PackSourceError, match="Nothing is taken to be removed"):
        await pack_source(origin.packs).working_tree()


async def test_an_empty_repository_says_that_it_might_be_an_empty_checkout(empty: Clone) -> None:
    source = pack_source(empty.packs)
    with pytest.raises(PackSourceError, match=r"has no commit yet.*empty checkout"):
        await source.committed()
    assert await source.gaps() == Gaps()


@pytest.mark.parametrize("index", ["--no-sparse-index", "--sparse-index"])
async def test_a_sparse_checkout_names_what_it_leaves_out(origin: Clone, index: str) -> None:
    sparse = origin.clone("sparse", "--sparse")
    sparse.git("sparse-checkout", "set", "--cone", index, "sharepacks/sales")
    source = pack_source(sparse.packs)
    tree = await source.working_tree()
    assert set(tree.files) == {PACK}
    assert not tree.revision.is_committed
    assert await source.gaps() == Gaps(sparse=(FINANCE,))
    assert set((await source.committed()).files) == {FINANCE, PACK}
    sparse.git("sparse-checkout", "disable")
    assert await source.gaps() == Gaps()
    assert (await source.working_tree()).revision.is_committed


async def test_a_sparse_checkout_without_the_folder_says_how_to_get_it(origin: Clone) -> None:
    sparse = origin.clone("sparse", "--sparse")
    with pytest.raises(PackSourceError, match=r"HEAD has 2 files.*git sparse-checkout disable"):
        await pack_source(sparse.packs).working_tree()


async def test_a_partial_clone_names_the_file_it_lacks_and_fetches_nothing(origin: Clone) -> None:
    first = origin.git("rev-list", "--max-parents=0", "HEAD")
    partial = origin.clone("partial", "--filter=blob:none")
    source = pack_source(partial.packs)
    assert set((await source.committed()).files) == {FINANCE, PACK}
    oid = origin.git("rev-parse", f"{first}:{PACK}")
    for _ in range(2):
        with pytest.raises(PackSourceError, match=f"{PACK}: its content .{oid[:12]}. is missing") as caught:
            await source.committed(first)
        assert "git fetch --refetch --no-filter" in caught.value.advice
    partial.git("fetch", "--quiet", "--refetch", "--no-filter")
    assert (await source.committed(first)).files == {PACK: b"metadata: {}\n"}


async def test_a_sparse_partial_clone_reads_what_is_there_and_not_the_commit(origin: Clone) -> None:
    partial = origin.clone("partial", "--filter=blob:none", "--sparse")
    partial.git("sparse-checkout", "set", "--cone", "sharepacks/sales")
    source = pack_source(partial.packs)
    with pytest.raises(PackSourceError, match=f"{FINANCE}: its content"):
        await source.committed()
    tree = await source.working_tree()
    assert (set(tree.files), tree.revision.is_committed) == ({PACK}, False)
    assert await source.gaps() == Gaps(sparse=(FINANCE,))


async def test_a_clone_without_trees_is_refused(origin: Clone) -> None:
    treeless = origin.clone("treeless", "--filter=tree:0")
    with pytest.raises(PackSourceError, match="is missing from the partial clone") as caught:
        await pack_source(treeless.packs).committed("HEAD~1")
    assert "--refetch" in caught.value.advice


async def test_a_commit_that_is_damaged_is_not_called_unknown(origin: Clone) -> None:
    origin.damage("HEAD")
    for read in (pack_source(origin.packs).committed, pack_source(origin.packs).working_tree):
        with pytest.raises(PackSourceError, match=r"corrupt|unpack|inflate") as caught:
            await read()
        assert "git fsck" in caught.value.advice


@pytest.mark.parametrize("content", [b"garbage", b"", None], ids=["corrupt", "empty", "missing"])
@pytest.mark.parametrize("what", ["HEAD^{tree}", "HEAD:sharepacks", f"HEAD:{PACK}"], ids=["tree", "folder", "file"])
async def test_a_damaged_object_of_the_commit_is_an_error(origin: Clone, what: str, content: bytes | None) -> None:
    origin.damage(what, content)
    with pytest.raises(PackSourceError) as caught:
        await pack_source(origin.packs).committed()
    assert "clone" in caught.value.advice


async def test_a_branch_whose_commit_is_missing_is_not_a_new_repository(origin: Clone) -> None:
    origin.damage("HEAD", None)
    for read in (pack_source(origin.packs).committed, pack_source(origin.packs).working_tree):
        with pytest.raises(PackSourceError, match="leads to no commit"):
            await read()


async def test_a_branch_that_is_damaged_is_not_a_new_repository(origin: Clone) -> None:
    origin.write(".git/refs/heads/main", "garbage\n")
    with pytest.raises(PackSourceError, match="leads to no commit"):
        await pack_source(origin.packs).committed()
