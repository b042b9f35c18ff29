"""Where the repository of a folder is is asked of Git once, and again as soon as it may be elsewhere."""

import shutil
from pathlib import Path

import pytest

from reconciler.adapters.git import pack_source
from reconciler.adapters.git import whereabouts as module
from reconciler.adapters.git.repository import Repository, locate
from reconciler.adapters.git.whereabouts import Whereabouts
from reconciler.ports.pack_source import PackSourceError
from tests.adapters.git.conftest import PACK, Clone


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """What Git was asked about."""
    folders: list[Path] = []

    def counting(folder: Path) -> Repository:
        folders.append(folder)
        return locate(folder)

    monkeypatch.setattr(module, "locate", counting)
    return folders


async def test_a_source_asks_once_for_all_its_questions(clone: Clone, asked: list[Path]) -> None:
    source = pack_source(clone.packs)
    first = (await source.committed()).revision.commit
    assert await source.listed("HEAD") is not None
    assert await source.merge_base("main", "HEAD") == await source.newest() == first
    assert asked == [clone.packs]


async def test_what_is_committed_meanwhile_is_seen(clone: Clone) -> None:
    source = pack_source(clone.packs)
    await source.committed()
    clone.write(PACK, "second")
    second = clone.commit()
    assert (await source.committed()).revision.commit == await source.newest() == second


def test_a_repository_that_is_cloned_again_is_looked_up_again(clone: Clone, asked: list[Path]) -> None:
    whereabouts = Whereabouts(clone.packs)
    assert whereabouts.repository() == whereabouts.repository() == locate(clone.packs)
    kept = clone.clone("kept")
    shutil.rmtree(clone.root)
    kept.clone(clone.root.name)
    assert whereabouts.repository() == locate(clone.packs)
    assert len(asked) == 2


def test_a_repository_that_is_gone_is_gone(clone: Clone) -> None:
    whereabouts = Whereabouts(clone.packs)
    whereabouts.repository()
    shutil.rmtree(clone.root / ".git")
    with pytest.raises(PackSourceError, match="not in a Git repository"):
        whereabouts.repository()


def test_a_repository_that_begins_further_down_is_found(clone: Clone) -> None:
    whereabouts = Whereabouts(clone.packs / "sales")
    assert whereabouts.repository().root == clone.root
    Clone(clone.packs).git("init", "--quiet")
    assert whereabouts.repository().root == clone.packs


def test_one_that_is_made_bare_is_known_for_it(clone: Clone) -> None:
    whereabouts = Whereabouts(clone.packs)
    assert not whereabouts.repository().is_bare
    clone.git("config", "core.bare", "true")
    with pytest.raises(PackSourceError, match="not inside"):
        whereabouts.repository()


def test_one_whose_settings_lie_elsewhere_is_looked_up_when_they_change(clone: Clone, asked: list[Path]) -> None:
    """A working tree beside the clone has a file `.git`."""
    tree = clone.root.parent / "tree"
    clone.git("worktree", "add", "--quiet", str(tree), "-b", "other")
    whereabouts = Whereabouts(tree / "sharepacks")
    found = whereabouts.repository()
    assert (found.root, found.common_dir) == (tree, clone.root / ".git")
    assert whereabouts.repository() == found
    assert len(asked) == 1
    clone.git("config", "user.name", "Somebody else")
    assert whereabouts.repository() == found
    assert len(asked) == 2
