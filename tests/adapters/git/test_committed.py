"""Reading the packs folder at a commit."""

import hashlib
import os
import subprocess
import time
from pathlib import Path

import pytest

from reconciler.adapters.git import FolderPackSource, contents, pack_source
from reconciler.ports.pack_source import Ancestry, PackSourceError
from tests.adapters.git.conftest import PACK, Clone


async def test_the_files_of_the_folder_at_head_and_nothing_else(clone: Clone) -> None:
    read = await pack_source(clone.packs).committed()
    assert read.files == {PACK: b"metadata: {}\n"}


async def test_the_revision_says_where_the_files_are_from(clone: Clone) -> None:
    revision = (await pack_source(clone.packs).committed()).revision
    assert revision.commit == clone.git("rev-parse", "HEAD")
    assert revision.is_committed
    assert revision.branch == "main"
    assert revision.author == "Ada Lovelace <ada@example.org>"
    assert len(revision.content) == 64


async def test_uncommitted_changes_are_not_seen_at_a_commit(clone: Clone) -> None:
    clone.write(PACK, "changed")
    clone.write("sharepacks/new.yaml")
    clone.git("add", "--all")
    assert (await pack_source(clone.packs).committed()).files == {PACK: b"metadata: {}\n"}


async def test_an_older_commit_by_any_of_its_names(clone: Clone) -> None:
    first = clone.git("rev-parse", "HEAD")
    clone.git("tag", "v1")
    clone.write(PACK, "second")
    clone.commit()
    source = pack_source(clone.packs)
    for name in (first, first[:10], "v1", "HEAD~1", "main~1"):
        read = await source.committed(name)
        assert (read.files[PACK], read.revision.commit) == (b"metadata: {}\n", first)


async def test_the_branch_is_the_one_that_was_asked_for(clone: Clone) -> None:
    clone.git("branch", "feature/x")
    assert (await pack_source(clone.packs).committed("feature/x")).revision.branch == "feature/x"


async def test_a_detached_head_has_no_branch(clone: Clone) -> None:
    clone.git("checkout", "--quiet", "--detach")
    assert (await pack_source(clone.packs).committed()).revision.branch == ""


async def test_the_digest_follows_paths_and_bytes_only(clone: Clone) -> None:
    source = pack_source(clone.packs)
    before = (await source.committed()).revision.content
    clone.write("README.md", "another text outside the folder")
    clone.commit()
    assert (await source.committed()).revision.content == before
    clone.git("mv", PACK, "sharepacks/sales/q2.yaml")
    clone.commit()
    assert (await source.committed()).revision.content != before


@pytest.mark.parametrize("name", ["no such", "HEAD~99", "-v", "--help", "", "0" * 40])
async def test_an_unknown_commit_is_an_error_that_names_it(clone: Clone, name: str) -> None:
    with pytest.raises(PackSourceError, match="There is no commit"):
        await pack_source(clone.packs).committed(name)


async def test_a_repository_without_a_commit_says_so(empty: Clone) -> None:
    empty.write(PACK)
    with pytest.raises(PackSourceError, match="has no commit yet"):
        await pack_source(empty.packs).committed()


async def test_a_folder_that_a_commit_does_not_have_is_an_error_not_an_empty_answer(clone: Clone) -> None:
    clone.git("rm", "--quiet", "-r", "sharepacks")
    clone.commit()
    with pytest.raises(PackSourceError, match=r"no folder 'sharepacks'.*Nothing is taken to be removed"):
        await pack_source(clone.packs).committed()


async def test_a_file_where_the_folder_should_be_is_an_error(clone: Clone) -> None:
    clone.git("rm", "--quiet", "-r", "sharepacks")
    clone.write("sharepacks", "a file")
    commit = clone.commit()
    clone.git("checkout", "--quiet", "HEAD~1")
    with pytest.raises(PackSourceError, match="no folder 'sharepacks'"):
        await pack_source(clone.packs).committed(commit)


@pytest.mark.parametrize(
    "name", ["with space.yaml", "Größe – 大.yaml", "new\nline.yaml", 'quo"te\\.yaml', "*.yaml", "tab\t"]
)
async def test_any_file_name(clone: Clone, name: str) -> None:
    clone.write(f"sharepacks/{name}", "odd")
    clone.commit()
    source = pack_source(clone.packs)
    assert (await source.committed()).files[f"sharepacks/{name}"] == b"odd"
    tree = await source.working_tree()
    assert tree.files[f"sharepacks/{name}"] == b"odd"
    assert tree.revision.is_committed


async def test_a_name_that_is_not_utf8_can_still_be_printed(clone: Clone) -> None:
    (clone.packs / os.fsdecode(b"caf\xe9.yaml")).write_bytes(b"odd")
    clone.commit()
    assert "sharepacks/caf\\xe9.yaml" in (await pack_source(clone.packs).committed()).files


async def test_a_folder_whose_name_is_a_pattern_is_only_that_folder(clone: Clone) -> None:
    clone.write("share*/own.yaml", "own")
    clone.commit()
    source = pack_source(clone.root / "share*")
    assert set((await source.committed()).files) == {"share*/own.yaml"}
    assert set((await source.working_tree()).files) == {"share*/own.yaml"}


async def test_the_whole_repository_as_the_packs_folder(clone: Clone) -> None:
    assert set((await pack_source(clone.root).committed()).files) == {PACK, "README.md"}


async def test_binary_and_empty_files_arrive_byte_for_byte(clone: Clone) -> None:
    content = bytes(range(256)) * 300 + b"\n\n"
    clone.write("sharepacks/book.xlsx", content)
    clone.write("sharepacks/empty.yaml", "")
    clone.commit()
    files = (await pack_source(clone.packs).committed()).files
    assert (files["sharepacks/book.xlsx"], files["sharepacks/empty.yaml"]) == (content, b"")


async def test_a_link_is_refused_by_name(clone: Clone) -> None:
    (clone.packs / "q2.yaml").symlink_to("sales/q1.yaml")
    clone.commit()
    with pytest.raises(PackSourceError, match=r"sharepacks/q2.yaml is a symbolic link"):
        await pack_source(clone.packs).committed()


async def test_an_editors_lock_link_is_overlooked(clone: Clone) -> None:
    (clone.packs / ".#q1.yaml").symlink_to("ada@host.123")
    assert set((await pack_source(clone.packs).working_tree()).files) == {PACK}


async def test_a_submodule_is_refused_by_name(clone: Clone, tmp_path: Path) -> None:
    other = Clone(tmp_path / "other")
    other.root.mkdir()
    other.git("init", "--quiet")
    other.write("theirs.yaml")
    other.commit()
    clone.git("submodule", "--quiet", "add", str(other.root), "sharepacks/theirs")
    source = pack_source(clone.packs)
    with pytest.raises(PackSourceError, match="sharepacks/theirs is a Git repository of its own"):
        await source.working_tree()
    clone.commit()
    with pytest.raises(PackSourceError, match="sharepacks/theirs is a Git repository of its own"):
        await source.committed()
    assert set((await pack_source(clone.packs / "theirs").committed()).files) == {"theirs.yaml"}


async def test_a_file_that_is_too_large_is_named_and_not_read(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "LARGEST_FILE", 1000)
    clone.write("sharepacks/big.xlsx", b"x" * 1001)
    clone.commit()
    source = pack_source(clone.packs)
    with pytest.raises(PackSourceError, match=r"sharepacks/big\.xlsx has"):
        await source.committed()
    with pytest.raises(PackSourceError, match=r"sharepacks/big\.xlsx has"):
        await source.working_tree()


async def test_a_folder_that_is_too_large_is_refused(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(contents, "LARGEST_FOLDER", 1000)
    clone.write("sharepacks/a.xlsx", b"x" * 600)
    clone.write("sharepacks/b.xlsx", b"x" * 600)
    clone.commit()
    source = pack_source(clone.packs)
    with pytest.raises(PackSourceError, match="together"):
        await source.committed()
    with pytest.raises(PackSourceError, match="together"):
        await source.working_tree()
    with pytest.raises(PackSourceError, match="together"):
        await FolderPackSource(clone.packs).working_tree()


def pointer_to(content: bytes) -> bytes:
    oid = hashlib.sha256(content).hexdigest()
    return f"version https://git-lfs.github.com/spec/v1\noid sha256:{oid}\nsize {len(content)}\n".encode()


async def test_content_kept_in_lfs_is_read_from_this_clones_store(clone: Clone) -> None:
    book = b"PK workbook" * 100
    oid = hashlib.sha256(book).hexdigest()
    clone.write(f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}", book)
    clone.write("sharepacks/book.xlsx", pointer_to(book))
    clone.commit()
    source = pack_source(clone.packs)
    assert (await source.committed()).files["sharepacks/book.xlsx"] == book
    tree = await source.working_tree()
    assert tree.files["sharepacks/book.xlsx"] == book
    assert tree.revision.is_committed


async def test_content_missing_from_lfs_is_an_error_that_names_the_file(clone: Clone) -> None:
    clone.write("sharepacks/book.xlsx", pointer_to(b"elsewhere"))
    clone.commit()
    with pytest.raises(PackSourceError, match=r"sharepacks/book.xlsx is kept in Git LFS .*git lfs fetch"):
        await pack_source(clone.packs).committed()


async def test_lfs_content_that_was_tampered_with_is_not_taken(clone: Clone) -> None:
    oid = hashlib.sha256(b"book").hexdigest()
    clone.write(f".git/lfs/objects/{oid[:2]}/{oid[2:4]}/{oid}", b"else")
    clone.write("sharepacks/book.xlsx", pointer_to(b"book"))
    clone.commit()
    with pytest.raises(PackSourceError, match="git lfs fetch"):
        await pack_source(clone.packs).committed()


async def test_a_bare_repository_has_commits_and_no_working_tree(clone: Clone, tmp_path: Path) -> None:
    bare = tmp_path / "packs.git"
    clone.git("clone", "--quiet", "--bare", str(clone.root), str(bare))
    source = pack_source(bare / "sharepacks")
    assert set((await source.committed("main")).files) == {PACK}
    assert await source.ancestry("main", "main") is Ancestry.DESCENDS
    with pytest.raises(PackSourceError, match="does not exist"):
        await source.working_tree()
    with pytest.raises(PackSourceError, match="bare repository"):
        await pack_source(bare).working_tree()


async def test_a_linked_worktree_reads_its_own_head(clone: Clone, tmp_path: Path) -> None:
    clone.git("worktree", "add", "--quiet", "-b", "other", str(tmp_path / "tree"))
    other = Clone(tmp_path / "tree")
    other.write(PACK, "other")
    other.commit()
    read = await pack_source(other.packs).committed()
    assert (read.files[PACK], read.revision.branch) == (b"other", "other")


async def test_a_sha256_repository(tmp_path: Path) -> None:
    clone = Clone(tmp_path / "sha256")
    clone.root.mkdir()
    clone.git("init", "--quiet", "--object-format=sha256")
    clone.write(PACK)
    clone.commit()
    source = pack_source(clone.packs)
    assert len((await source.committed()).revision.commit) == 64
    assert (await source.working_tree()).revision.is_committed


async def test_a_blob_that_is_missing_from_the_clone_is_named(clone: Clone) -> None:
    oid = clone.git("rev-parse", f"HEAD:{PACK}")
    (clone.root / ".git/objects" / oid[:2] / oid[2:]).unlink()
    with pytest.raises(PackSourceError, match=f"{PACK}: its content .* is missing from this clone"):
        await pack_source(clone.packs).committed()


async def test_variables_that_a_git_hook_sets_do_not_redirect_us(
    clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = tmp_path / "other.git"
    clone.git("init", "--quiet", "--bare", str(other))
    monkeypatch.setenv("GIT_DIR", str(other))
    monkeypatch.setenv("GIT_WORK_TREE", str(tmp_path))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "no index"))
    monkeypatch.setenv("GIT_PREFIX", "elsewhere/")
    source = pack_source(clone.packs)
    assert set((await source.committed()).files) == {PACK}
    assert (await source.working_tree()).revision.is_committed


async def test_a_replaced_commit_is_read_as_it_was_committed(clone: Clone) -> None:
    first = clone.git("rev-parse", "HEAD")
    clone.write(PACK, "forged")
    forged = clone.commit()
    clone.git("replace", first, forged)
    assert (await pack_source(clone.packs).committed(first)).files[PACK] == b"metadata: {}\n"


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() != 0, reason="only root can give a folder away")
async def test_a_repository_of_another_user_says_what_to_run(clone: Clone) -> None:
    for place in (clone.root, clone.root / ".git"):
        os.chown(place, 12345, 12345)
    with pytest.raises(PackSourceError, match=r"git config --global --add safe\.directory") as caught:
        await pack_source(clone.packs).committed()
    assert str(clone.root) in str(caught.value)


async def test_without_the_git_binary_the_message_says_so(
    clone: Clone, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    source = pack_source(clone.packs)
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(PackSourceError, match="not installed or not on PATH"):
        await source.committed()


async def test_a_thousand_files_take_less_than_a_second(clone: Clone) -> None:
    for number in range(1000):
        clone.write(f"sharepacks/line {number % 10}/{number}.yaml", f"metadata: {{n: {number}}}\n" * 40)
    clone.commit()
    source = pack_source(clone.packs)
    started = time.perf_counter()
    assert len((await source.committed()).files) == 1001
    # Measured 0.06 s on an idle machine; the bound leaves room for a busy one.
    assert time.perf_counter() - started < 1.0


def test_the_tests_run_the_git_of_this_machine() -> None:
    assert subprocess.run(["git", "--version"], check=True, capture_output=True).stdout.startswith(b"git version")
