"""A repository without a remote: its branch moves, and the working tree follows where nobody has touched it."""

import asyncio
import os
import time
from pathlib import Path

import pytest

from reconciler.adapters.git import pack_source
from reconciler.adapters.git import storing as module
from reconciler.adapters.git.storing import GitPackStore
from reconciler.ports.pack_store import PackStoreError, Put
from tests.adapters.git.conftest import PACK, Clone

NEW = "sharepacks/Rück Köln/Q1 größer.yaml"


def a_put(path: str = NEW, content: bytes | None = b"new\r\n") -> Put:
    return Put({path: content}, "Hand in", "Rita <rita@example.org>")


def status(clone: Clone) -> list[str]:
    out = clone.git("-c", "core.quotePath=false", "status", "--porcelain", "--untracked-files=all")
    return [line.strip() for line in out.splitlines()]


async def test_the_branch_moves_and_the_working_tree_is_clean(clone: Clone) -> None:
    before = clone.git("rev-parse", "HEAD")
    store = GitPackStore(clone.packs)
    stored = await store.put(a_put())
    assert clone.git("rev-parse", "main", "main^") == f"{stored.commit}\n{before}"
    assert status(clone) == []
    assert (clone.root / NEW).read_bytes() == b"new\r\n"
    read = await pack_source(clone.packs).working_tree()
    assert (read.revision.commit, read.revision.is_committed) == (stored.commit, True)
    again = await store.put(a_put())
    assert (again.commit, again.is_new) == (stored.commit, False)
    assert clone.git("reflog", "-1", "--format=%gs") == "sharepack: put"


async def test_files_are_changed_and_taken_away(clone: Clone) -> None:
    store = GitPackStore(clone.packs)
    await store.put(a_put())
    await store.put(Put({NEW: b"newer", PACK: None}, "m", "rita"))
    assert status(clone) == []
    assert (clone.root / NEW).read_bytes() == b"newer"
    assert not (clone.root / PACK).parent.exists()


async def test_a_file_that_can_be_run_stays_so(clone: Clone) -> None:
    (clone.root / PACK).chmod(0o755)
    clone.commit()
    await GitPackStore(clone.packs).put(a_put(PACK))
    assert os.access(clone.root / PACK, os.X_OK)
    assert status(clone) == []


async def test_work_of_others_in_other_files_stays(clone: Clone) -> None:
    clone.write("README.md", "being edited")
    clone.write("sharepacks/staged.yaml", "staged")
    clone.git("add", "sharepacks/staged.yaml")
    clone.write("sharepacks/new.yaml", "untracked")
    before = status(clone)
    await GitPackStore(clone.packs).put(a_put())
    assert status(clone) == before
    assert (clone.root / NEW).exists()


async def test_a_file_that_somebody_edits_stays_as_it_is(clone: Clone) -> None:
    clone.write(PACK, "being edited")
    stored = await GitPackStore(clone.packs).put(a_put(PACK))
    assert (clone.root / PACK).read_text() == "being edited"
    # Against the new commit, and nothing of it is staged to be taken back.
    assert status(clone) == [f"M {PACK}"]
    assert clone.git("diff", "--cached") == ""
    assert clone.git("show", f"{stored.commit}:{PACK}") == "new"


async def test_a_file_that_somebody_has_staged_stays_staged(clone: Clone) -> None:
    clone.write(PACK, "staged")
    clone.git("add", PACK)
    await GitPackStore(clone.packs).put(a_put(PACK))
    assert clone.git("show", f":{PACK}") == "staged"
    assert (clone.root / PACK).read_text() == "staged"


async def test_a_new_file_in_its_place_stays(clone: Clone) -> None:
    clone.write(NEW, "mine, not added yet")
    await GitPackStore(clone.packs).put(a_put())
    assert (clone.root / NEW).read_text() == "mine, not added yet"
    assert status(clone) == [f'M "{NEW}"']


async def test_a_deleted_file_is_not_brought_back(clone: Clone) -> None:
    (clone.root / PACK).unlink()
    await GitPackStore(clone.packs).put(a_put(PACK))
    assert not (clone.root / PACK).exists()
    assert status(clone) == [f"D {PACK}"]


async def test_nothing_is_written_through_a_link(clone: Clone, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (clone.packs / "Rück Köln").symlink_to(outside)
    stored = await GitPackStore(clone.packs).put(a_put())
    assert list(outside.iterdir()) == []
    assert clone.git("show", f"{stored.commit}:{NEW}") == "new"
    (clone.packs / "link.yaml").symlink_to(outside / "target")
    await GitPackStore(clone.packs).put(a_put("sharepacks/link.yaml"))
    assert list(outside.iterdir()) == []


async def test_another_branch_that_is_checked_out_is_left_alone(clone: Clone) -> None:
    before = clone.git("rev-parse", "HEAD")
    clone.git("checkout", "--quiet", "-b", "mine")
    stored = await GitPackStore(clone.packs, "main").put(a_put())
    assert clone.git("rev-parse", "HEAD", "main") == f"{before}\n{stored.commit}"
    assert status(clone) == []
    assert not (clone.root / NEW).exists()


async def test_a_branch_for_a_proposal(clone: Clone) -> None:
    main = clone.git("rev-parse", "HEAD")
    store = GitPackStore(clone.packs)
    first = await store.put(a_put(), "proposal")
    second = await store.put(a_put(PACK), "proposal")
    assert clone.git("rev-parse", "main", "proposal", "proposal~1", "proposal~2").split() == [
        main, second.commit, first.commit, main,
    ]  # fmt: skip
    assert status(clone) == []


async def test_a_bare_repository(clone: Clone) -> None:
    bare = clone.clone("packs.git", "--bare")
    bare.git("remote", "remove", "origin")
    stored = await GitPackStore(bare.packs).put(a_put())
    assert bare.git("rev-parse", "main") == stored.commit
    assert await pack_source(bare.packs).newest() == stored.commit


async def test_of_many_at_once_the_wrong_ones_are_in_nobodys_way(clone: Clone) -> None:
    store = GitPackStore(clone.packs)
    paths = ["sharepacks/a.yaml", "../outside.yaml", f"{PACK}/below.yaml", "README.md", "sharepacks/b.yaml"]
    stored = await asyncio.gather(*(store.put(a_put(path)) for path in paths), return_exceptions=True)
    assert [isinstance(each, PackStoreError) for each in stored] == [False, True, True, True, False]
    assert status(clone) == []
    assert not (clone.root / ".git/sharepack/behind.json").exists()
    assert sorted(each.name for each in clone.packs.iterdir()) == ["a.yaml", "b.yaml", "sales"]


async def test_a_lock_on_the_index_holds_nobody_up(clone: Clone) -> None:
    lock = clone.root / ".git/index.lock"
    lock.touch()
    store = GitPackStore(clone.packs)
    stored = await store.put(a_put())
    assert clone.git("rev-parse", "main") == stored.commit
    lock.unlink()
    # What could not be done is done with the next one.
    await store.put(a_put())
    assert status(clone) == []


async def test_a_stale_lock_on_the_branch_is_explained(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "_TRIES", 1)
    monkeypatch.setattr(module, "_PATIENCE", 0.0)
    lock = clone.root / ".git/refs/heads/main.lock"
    lock.touch()
    os.utime(lock, (time.time() - 600,) * 2)
    store = GitPackStore(clone.packs)
    with pytest.raises(PackStoreError, match="has been there for 60") as error:
        await store.put(a_put())
    assert str(lock) in error.value.what
    assert "remove that file" in error.value.advice
    assert status(clone) == []
    lock.unlink()
    assert (await store.put(a_put())).is_new
    assert status(clone) == []


@pytest.mark.skipif(os.geteuid() == 0, reason="root may write anywhere")
async def test_a_repository_that_cannot_be_written(clone: Clone) -> None:
    objects = clone.root / ".git/objects"
    for folder in (objects, *(each for each in objects.iterdir() if each.is_dir())):
        folder.chmod(0o555)
    with pytest.raises(PackStoreError, match="may not write there"):
        await GitPackStore(clone.packs).put(a_put())
    for folder in (objects, *(each for each in objects.iterdir() if each.is_dir())):
        folder.chmod(0o755)


async def test_a_full_disk_is_told(clone: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """As git tells it, when it writes an object."""
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    real = os.environ["PATH"]
    program.write_text(
        '#!/bin/sh\ncase "$*" in *hash-object*) echo "error: unable to write file: No space left on device" >&2; '
        f'exit 128;; esac\nPATH="{real}" exec git "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{real}")
    with pytest.raises(PackStoreError, match="there is no room left") as error:
        await GitPackStore(clone.packs).put(a_put())
    assert error.value.advice == "Make room on that disk."
