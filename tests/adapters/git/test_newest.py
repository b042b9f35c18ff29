"""Which commit is the newest, by default and by name; folders outside Git have the digest of their files."""

from pathlib import Path

import pytest

from reconciler.adapters.git import pack_source
from reconciler.ports.pack_source import PackSourceError
from tests.adapters.git.conftest import PACK, Clone
from tests.adapters.git.remotes import Server, serve


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return serve(tmp_path)


async def test_it_is_that_of_the_upstream_not_of_what_was_committed_here(server: Server) -> None:
    mine = server.clone("mine")
    theirs = mine.git("rev-parse", "HEAD")
    own = mine.commit("Not pushed")
    source = pack_source(mine.packs)
    assert await source.newest() == theirs
    assert await source.newest("HEAD") == await source.newest("main") == own
    assert await source.newest("origin/main") == await source.newest(theirs[:10]) == theirs


async def test_without_an_upstream_it_is_head(server: Server, clone: Clone) -> None:
    assert await pack_source(clone.packs).newest() == clone.git("rev-parse", "HEAD")
    mine = server.clone("mine")
    mine.git("checkout", "--quiet", "-b", "side", "--no-track")
    side = mine.commit()
    assert await pack_source(mine.packs).newest() == side


async def test_with_a_detached_head_it_is_head(server: Server) -> None:
    server.push("second")
    mine = server.clone("mine")
    mine.git("checkout", "--quiet", "--detach", "HEAD~1")
    assert await pack_source(mine.packs).newest() == mine.git("rev-parse", "HEAD")


async def test_a_local_branch_may_be_the_upstream(clone: Clone) -> None:
    clone.git("checkout", "--quiet", "-b", "side", "--track", "main")
    clone.commit("On the side")
    assert await pack_source(clone.packs).newest() == clone.git("rev-parse", "main")


async def test_of_a_bare_repository_it_is_head(server: Server) -> None:
    source = pack_source(server.bare.packs)
    second = server.push("second")
    assert await source.newest() == await source.newest("main") == second


@pytest.mark.parametrize("unknown", ["origin/nowhere", "0" * 40, "--all", "@{upstream}", "HEAD:sharepacks"])
async def test_what_names_no_commit_is_an_error(clone: Clone, unknown: str) -> None:
    with pytest.raises(PackSourceError, match=r"There is no commit .*git fetch"):
        await pack_source(clone.packs).newest(unknown)


async def test_a_tag_is_the_commit_it_stands_on(clone: Clone) -> None:
    clone.git("tag", "--annotate", "--message", "v1", "v1")
    assert await pack_source(clone.packs).newest("v1") == clone.git("rev-parse", "HEAD")


async def test_outside_git_it_is_the_digest_of_the_files(tmp_path: Path) -> None:
    folder = tmp_path / "plain packs"
    folder.mkdir()
    (folder / "q1.yaml").write_text("one")
    source = pack_source(folder)
    one = await source.newest()
    assert one == (await source.working_tree()).revision.content
    (folder / "q1.yaml").write_text("two")
    assert await source.newest() != one
    (folder / "q1.yaml").write_text("one")
    assert await source.newest() == one
    with pytest.raises(PackSourceError, match=r"not in a Git repository.*'origin/main'"):
        await source.newest("origin/main")


async def test_a_repository_that_is_gone_is_an_error(tmp_path: Path, clone: Clone) -> None:
    source = pack_source(clone.packs)
    await source.newest()
    clone.root.rename(tmp_path / "moved away")
    with pytest.raises(PackSourceError, match="not in a Git repository"):
        await source.newest()


async def test_before_the_first_commit_it_is_an_error(empty: Clone) -> None:
    empty.write(PACK)
    with pytest.raises(PackSourceError, match="has no commit yet"):
        await pack_source(empty.packs).newest()


async def test_a_git_that_cannot_be_run_is_an_error_and_no_reason_to_stop_waiting(
    tmp_path: Path, clone: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "git").write_text("not a program")
    monkeypatch.setenv("PATH", str(tmp_path))
    source = pack_source(clone.packs)
    with pytest.raises(PackSourceError, match=r"git cannot be run for .*Permission denied"):
        await source.newest()
    with pytest.raises(PackSourceError, match=r"git cannot be run for .*Permission denied"):
        await source.fetch()
    assert not await source.changed(0.1)


async def test_the_branch_that_is_followed_has_the_name_its_remote_has_for_it(server: Server, clone: Clone) -> None:
    mine = server.clone("mine")
    mine.git("checkout", "--quiet", "-b", "side", "--track", "origin/main")
    source = pack_source(mine.packs)
    assert await source.followed() == await source.followed("origin/main") == "main"
    assert await source.followed("side") == "side"
    mine.git("checkout", "--quiet", "--detach")
    assert await source.followed() == ""
    assert await pack_source(clone.packs).followed() == "main"


async def test_a_plain_folder_follows_no_branch(tmp_path: Path) -> None:
    (tmp_path / "packs").mkdir()
    assert await pack_source(tmp_path / "packs").followed() == ""
