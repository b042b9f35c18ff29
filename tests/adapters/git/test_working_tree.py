"""The files as they lie there, and whether they are exactly those of HEAD; folders outside Git."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.adapters.git import FolderPackSource, GitPackSource, pack_source
from reconciler.ports.pack_source import Ancestry, Gaps, PackSourceError
from tests.adapters.git.conftest import PACK, Clone

OTHER = "sharepacks/other.yaml"


async def test_a_clean_tree_is_committed_and_equals_the_commit(clone: Clone) -> None:
    source = pack_source(clone.packs)
    tree, commit = await source.working_tree(), await source.committed()
    assert tree == commit
    assert tree.revision.is_committed


Step = Callable[[Clone], object]

CHANGES: dict[str, tuple[Step, ...]] = {
    "edited": (lambda clone: clone.write(PACK, "edited"),),
    "edited to the same length": (lambda clone: clone.write(PACK, "METADATA: {}\n"),),
    "staged": (lambda clone: clone.write(PACK, "edited"), lambda clone: clone.git("add", "--all")),
    "staged and taken back on disk": (
        lambda clone: clone.write(PACK, "edited"),
        lambda clone: clone.git("add", "--all"),
        lambda clone: clone.write(PACK),
    ),
    "new": (lambda clone: clone.write(OTHER),),
    "new and staged": (lambda clone: clone.write(OTHER), lambda clone: clone.git("add", "--all")),
    "deleted": (lambda clone: (clone.root / PACK).unlink(),),
    "deleted and staged": (lambda clone: clone.git("rm", "--quiet", PACK),),
    "removed from the index only": (lambda clone: clone.git("rm", "--quiet", "--cached", PACK),),
    "renamed": (lambda clone: clone.git("mv", PACK, OTHER),),
    "edited behind git's back": (
        lambda clone: clone.git("update-index", "--assume-unchanged", PACK),
        lambda clone: clone.write(PACK, "edited"),
    ),
    "left out by a sparse checkout": (
        lambda clone: clone.git("update-index", "--skip-worktree", PACK),
        lambda clone: (clone.root / PACK).unlink(),
    ),
    "replaced by a folder": (
        lambda clone: (clone.root / PACK).unlink(),
        lambda clone: clone.write(f"{PACK}/inside.yaml"),
    ),
}


@pytest.mark.parametrize("steps", CHANGES.values(), ids=CHANGES.keys())
async def test_any_difference_from_head_makes_it_uncommitted(clone: Clone, steps: tuple[Step, ...]) -> None:
    clone.write("sharepacks/stays.yaml")
    clone.commit()
    for step in steps:
        step(clone)
    assert not (await pack_source(clone.packs).working_tree()).revision.is_committed


async def test_new_files_are_seen_and_deleted_ones_are_not(clone: Clone) -> None:
    clone.write(OTHER, "new")
    (clone.root / PACK).unlink()
    assert (await pack_source(clone.packs).working_tree()).files == {OTHER: b"new"}


async def test_a_change_outside_the_folder_does_not_matter(clone: Clone) -> None:
    clone.write("README.md", "changed")
    clone.write("new.txt")
    assert (await pack_source(clone.packs).working_tree()).revision.is_committed


async def test_ignored_files_are_not_seen(clone: Clone) -> None:
    clone.write(".gitignore", "*.bak\n")
    clone.commit()
    clone.write("sharepacks/q1.bak")
    tree = await pack_source(clone.packs).working_tree()
    assert set(tree.files) == {PACK}
    assert tree.revision.is_committed


async def test_a_folder_that_is_ignored_as_a_whole_is_an_error(clone: Clone) -> None:
    clone.write(".gitignore", "scratch/\n")
    clone.commit()
    clone.write("scratch/q1.yaml")
    with pytest.raises(PackSourceError, match="Git ignores everything in"):
        await pack_source(clone.root / "scratch").working_tree()


async def test_line_endings_that_git_converts_are_no_change(clone: Clone) -> None:
    clone.write(".gitattributes", "*.yaml text eol=crlf\n")
    clone.commit()
    (clone.root / PACK).unlink()
    clone.git("checkout", "--", PACK)
    tree = await pack_source(clone.packs).working_tree()
    assert tree.files[PACK] == b"metadata: {}\r\n"
    assert tree.revision.is_committed


async def test_before_the_first_commit_files_are_read_as_uncommitted(empty: Clone) -> None:
    empty.write(PACK)
    tree = await pack_source(empty.packs).working_tree()
    assert set(tree.files) == {PACK}
    assert (tree.revision.commit, tree.revision.is_committed) == ("", False)


async def test_a_missing_folder_is_an_error(clone: Clone) -> None:
    with pytest.raises(PackSourceError, match="does not exist"):
        await pack_source(clone.root / "nowhere").working_tree()
    with pytest.raises(PackSourceError, match="is not a folder"):
        await pack_source(clone.root / "README.md").working_tree()


async def test_a_repository_inside_the_folder_is_refused(clone: Clone) -> None:
    inner = Clone(clone.packs / "inner")
    inner.root.mkdir()
    inner.git("init", "--quiet")
    inner.write("q.yaml")
    with pytest.raises(PackSourceError, match="sharepacks/inner"):
        await pack_source(clone.packs).working_tree()


async def test_reading_takes_no_lock(clone: Clone) -> None:
    clone.write(".git/index.lock", "somebody else is at work")
    clone.write(PACK, "edited")
    tree = await pack_source(clone.packs).working_tree()
    assert tree.files[PACK] == b"edited"


async def test_a_program_named_by_the_repository_is_not_run(clone: Clone, tmp_path: Path) -> None:
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch '{tmp_path}/sprung'\n")
    trap.chmod(0o755)
    clone.git("config", "core.fsmonitor", str(trap))
    await pack_source(clone.packs).working_tree()
    assert not (tmp_path / "sprung").exists()


async def test_a_file_that_may_not_be_read_is_named(clone: Clone) -> None:
    (clone.root / PACK).chmod(0)
    if os.access(clone.root / PACK, os.R_OK):
        pytest.skip("root may read everything")
    with pytest.raises(PackSourceError, match=r"sharepacks/sales/q1.yaml cannot be read"):
        await pack_source(clone.packs).working_tree()


async def test_a_pipe_among_the_packs_does_not_block(tmp_path: Path) -> None:
    (tmp_path / "q.yaml").write_text("x")
    os.mkfifo(tmp_path / "pipe.yaml")
    assert set((await FolderPackSource(tmp_path).working_tree()).files) == {"q.yaml"}


async def test_a_plain_folder_is_read_and_never_committed(tmp_path: Path) -> None:
    folder = tmp_path / "plain packs"
    (folder / "sales").mkdir(parents=True)
    (folder / "sales" / "q1.yaml").write_text("one")
    source = pack_source(folder)
    assert isinstance(source, FolderPackSource)
    tree = await source.working_tree()
    assert tree.files == {"sales/q1.yaml": b"one"}
    assert (tree.revision.commit, tree.revision.is_committed) == ("", False)
    assert str(tree.revision) == "folder outside Git"
    assert await source.ancestry("a", "b") is Ancestry.NO_HISTORY
    assert await source.gaps() == Gaps()
    with pytest.raises(PackSourceError, match=r"not in a Git repository.*git init"):
        await source.committed()


async def test_a_plain_folder_needs_no_git(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "q1.yaml").write_text("one")
    monkeypatch.setenv("PATH", "")
    assert set((await pack_source(tmp_path).working_tree()).files) == {"q1.yaml"}


async def test_a_plain_folder_refuses_links_to_files_and_folders(tmp_path: Path) -> None:
    folder = tmp_path / "packs"
    folder.mkdir()
    (tmp_path / "secret.yaml").write_text("x")
    (folder / "link.yaml").symlink_to(tmp_path / "secret.yaml")
    with pytest.raises(PackSourceError, match=r"link.yaml is a symbolic link"):
        await pack_source(folder).working_tree()
    (folder / "link.yaml").unlink()
    (folder / "out").symlink_to(tmp_path)
    with pytest.raises(PackSourceError, match=r"out is a symbolic link"):
        await pack_source(folder).working_tree()


async def test_a_packs_folder_that_is_itself_a_link_is_followed(clone: Clone, tmp_path: Path) -> None:
    (tmp_path / "here").symlink_to(clone.packs)
    source = GitPackSource(tmp_path / "here")
    assert set((await source.committed()).files) == {PACK}
