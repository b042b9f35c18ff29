"""What is asked again and again is answered without Git, bounded, and only where the answer cannot change."""

import asyncio
from pathlib import Path

import pytest

from reconciler.adapters.git import GitPackSource, pack_source
from reconciler.adapters.git.memory import CommitContent, Memory
from reconciler.ports.pack_source import Ancestry, PackSourceError
from tests.adapters.git.conftest import PACK, Clone


def without_git(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")


async def test_a_full_commit_id_is_read_once(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack_source(clone.packs)
    by_branch = await source.committed("main")
    assert by_branch.revision.branch == "main"
    commit = await source.newest()
    without_git(monkeypatch)
    by_id = await source.committed(commit)
    assert (by_id.files, by_id.folder) == (by_branch.files, by_branch.folder)
    assert (by_id.revision.commit, by_id.revision.branch, by_id.revision.is_committed) == (commit, "", True)
    assert by_id.revision.author == by_branch.revision.author == "Ada Lovelace <ada@example.org>"
    assert by_id.revision.content == by_branch.revision.content
    with pytest.raises(PackSourceError, match="not installed"):
        await source.committed("HEAD")


async def test_a_name_is_looked_up_each_time(clone: Clone) -> None:
    source = pack_source(clone.packs)
    first = await source.committed()
    clone.write(PACK, "second")
    second = clone.commit()
    assert (await source.committed()).revision.commit == second
    assert (await source.committed()).files == {PACK: b"second"}
    assert (await source.committed(first.revision.commit)).files == first.files


async def test_what_is_given_out_cannot_be_changed(clone: Clone) -> None:
    source = pack_source(clone.packs)
    files = (await source.committed()).files
    with pytest.raises(TypeError):
        files[PACK] = b"forged"  # type: ignore[index]
    assert (await source.committed()).files == {PACK: b"metadata: {}\n"}


async def test_what_stands_in_a_commit_is_listed_once(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack_source(clone.packs)
    by_branch = await source.listed("main")
    assert by_branch is not None
    with monkeypatch.context() as patch:
        without_git(patch)
        by_id = await source.listed(by_branch.revision.commit)
        with pytest.raises(PackSourceError, match="not installed"):
            await source.listed("main")
    assert by_id is not None
    assert (by_id.ids, by_id.folder) == (by_branch.ids, by_branch.folder)
    assert (by_id.revision.branch, by_branch.revision.branch) == ("", "main")
    with pytest.raises(TypeError):
        by_id.ids[PACK] = "forged"  # type: ignore[index]
    clone.write(PACK, "second")
    second = clone.commit()
    moved = await source.listed("main")
    assert moved is not None
    assert moved.revision.commit == second
    assert moved.ids != by_id.ids
    assert await source.listed(by_id.revision.commit) == by_id


async def test_few_listings_are_remembered(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    source = pack_source(clone.packs)
    commits = []
    for number in range(5):
        clone.write(PACK, str(number))
        commits.append(clone.commit())
        await source.listed(commits[-1])
    without_git(monkeypatch)
    for commit in commits[1:]:
        assert await source.listed(commit) is not None
    with pytest.raises(PackSourceError, match="not installed"):
        await source.listed(commits[0])


async def test_a_failure_is_not_remembered(clone: Clone) -> None:
    source = pack_source(clone.packs)
    clone.git("rm", "-r", "--quiet", "sharepacks")
    clone.write("sharepacks-not")
    empty = clone.commit()
    for _ in range(2):
        with pytest.raises(PackSourceError, match="There is no folder"):
            await source.committed(empty)


async def test_descent_is_remembered_and_its_absence_is_not(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    first, second, third = clone.git("rev-parse", "HEAD"), clone.commit("Second"), clone.commit("Third")
    shallow = clone.clone("shallow", "--depth", "2")
    source = pack_source(shallow.packs)
    assert await source.ancestry(first, third) is Ancestry.CUT_OFF
    assert not await source.descends_from_all([first, second], third)
    shallow.git("fetch", "--quiet", "--unshallow")
    assert await source.descends_from_all([first, second], third)
    assert await source.ancestry("HEAD~1", "HEAD") is Ancestry.DESCENDS
    with monkeypatch.context() as patched:
        without_git(patched)
        assert await source.descends_from_all([second, first], third)
        assert await source.ancestry(first, third) is Ancestry.DESCENDS
        with pytest.raises(PackSourceError, match="not installed"):
            await source.ancestry("HEAD~1", "HEAD")
    assert await source.ancestry(third, first) is Ancestry.REWOUND


async def test_many_at_once_read_the_same(clone: Clone) -> None:
    source = pack_source(clone.packs)
    commit = await source.newest()
    found = await asyncio.gather(*(source.committed(commit) for _ in range(20)))
    assert all(each == found[0] for each in found)


async def test_a_link_to_the_packs_folder_that_is_pointed_elsewhere_is_read_anew(clone: Clone, tmp_path: Path) -> None:
    clone.write("others/q.yaml", "other")
    commit = clone.commit()
    link = tmp_path / "current"
    link.symlink_to(clone.packs)
    source = GitPackSource(link)
    assert set((await source.committed(commit)).files) == {PACK}
    link.unlink()
    link.symlink_to(clone.root / "others")
    assert set((await source.committed(commit)).files) == {"others/q.yaml"}


def content(size: int) -> CommitContent:
    return CommitContent("", "", {"f": b"x" * size}, "")


def test_it_is_bounded_by_bytes_and_forgets_what_was_not_asked_for_longest() -> None:
    memory = Memory(largest=3_000)
    memory.keep("here", "a", content(700))
    memory.keep("here", "b", content(700))
    assert memory.content("here", "a") is not None
    memory.keep("here", "c", content(700))
    assert memory.content("here", "b") is None
    assert memory.content("here", "a") is not None
    assert memory.content("there", "a") is None
    memory.keep("here", "large", content(5_000))
    assert memory.content("here", "large") is None
    assert memory.content("here", "c") is not None
    for number in range(100):
        memory.keep("here", str(number), content(700))
    assert memory._size == sum(each.size for each in memory._contents.values()) <= 3_000


def test_pairs_are_bounded() -> None:
    memory = Memory()
    memory.keep_descent([str(number) for number in range(25_000)], "new")
    assert memory.descends("24999", "new")
    assert not memory.descends("0", "new")
