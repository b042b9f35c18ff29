"""A pull request as a commit to be read: as it would be once merged, and never anything of it run or checked out."""

import asyncio
import time
from dataclasses import dataclass
from pathlib import Path

import pytest

from reconciler.adapters.git import FolderPackSource, GitPackSource, pack_source
from reconciler.ports.pack_source import PackSourceError
from tests.adapters.git.conftest import PACK, Clone
from tests.adapters.git.remotes import Server, cloned, hanging, serve

FEATURE = "sharepacks/finance team/jährlich Ü.yaml"
HEAD, MERGE = "refs/pull/7/head", "refs/pull/7/merge"


@dataclass(frozen=True)
class Host:
    """A server that keeps pull requests as GitHub does: the merge of one is made by the host, and stays as it was when
    there are conflicts."""

    server: Server

    def push(self, content: str) -> str:
        """To pull request 7, without making its merge anew."""
        author = self.server.author
        if not author.git("branch", "--list", "feature"):
            author.git("branch", "--quiet", "feature", "main")
        author.git("switch", "--quiet", "feature")
        author.write(FEATURE, content)
        head = author.commit(content)
        author.git("push", "--quiet", "--force", "origin", f"HEAD:{HEAD}")
        author.git("switch", "--quiet", "main")
        return head

    def make_merge(self) -> str:
        author = self.server.author
        author.git("switch", "--quiet", "--detach", "main")
        author.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
        merge = author.git("rev-parse", "HEAD")
        author.git("push", "--quiet", "--force", "origin", f"HEAD:{MERGE}")
        author.git("switch", "--quiet", "main")
        return merge

    def forget(self, ref: str) -> None:
        self.server.bare.git("update-ref", "-d", ref)


@pytest.fixture
def host(tmp_path: Path) -> Host:
    return Host(serve(tmp_path))


@pytest.fixture
def mine(host: Host) -> Clone:
    return cloned(host.server, "my clone ü")


async def test_it_is_the_merge_where_the_host_offers_one(host: Host, mine: Clone) -> None:
    host.push("wanted")
    merge = host.make_merge()
    source = pack_source(mine.packs)
    assert await source.fetch_pull(7) == merge
    found = await source.committed(merge)
    assert found.files == {PACK: b"first", FEATURE: b"wanted"}
    assert await source.merge_base("origin/main", merge) == mine.git("rev-parse", "origin/main")


async def test_it_is_the_head_where_the_host_offers_no_merge(host: Host, mine: Clone) -> None:
    head = host.push("wanted")
    assert await pack_source(mine.packs).fetch_pull(7) == head


async def test_the_merge_of_an_older_head_does_not_count(host: Host, mine: Clone) -> None:
    host.push("first")
    merge = host.make_merge()
    source = pack_source(mine.packs)
    assert await source.fetch_pull(7) == merge
    second = host.push("second")
    assert await source.fetch_pull(7) == second
    newer = host.make_merge()
    assert await source.fetch_pull(7) == newer


async def test_a_merge_that_the_host_took_back_does_not_count(host: Host, mine: Clone) -> None:
    head = host.push("wanted")
    merge = host.make_merge()
    source = pack_source(mine.packs)
    assert await source.fetch_pull(7) == merge
    host.forget(MERGE)
    assert await source.fetch_pull(7) == head


async def test_a_head_that_was_forced_is_what_it_is_now(host: Host, mine: Clone) -> None:
    host.push("first")
    source = pack_source(mine.packs)
    await source.fetch_pull(7)
    host.server.author.git("branch", "--quiet", "--force", "feature", "main")
    forced = host.push("forced")
    assert await source.fetch_pull(7) == forced


async def test_only_a_merge_with_the_head_as_its_second_parent_is_one(host: Host, mine: Clone) -> None:
    """A commit on top of the head, and a merge the other way round, are somebody's, not the host's."""
    head = host.push("wanted")
    author = host.server.author
    author.git("switch", "--quiet", "--detach", "feature")
    author.write(FEATURE, "more")
    author.commit("On top")
    author.git("push", "--quiet", "--force", "origin", f"HEAD:{MERGE}")
    assert await pack_source(mine.packs).fetch_pull(7) == head
    author.git("switch", "--quiet", "--detach", "feature")
    author.git("merge", "--quiet", "--no-ff", "--no-edit", "--strategy=ours", host.server.push("main"))
    author.git("push", "--quiet", "--force", "origin", f"HEAD:{MERGE}")
    assert await pack_source(mine.packs).fetch_pull(7) == head


async def test_a_number_that_the_host_does_not_know_is_said(host: Host, mine: Clone) -> None:
    host.push("wanted")
    with pytest.raises(PackSourceError, match=r"'origin' of .* offers no pull request 70\. Check the number"):
        await pack_source(mine.packs).fetch_pull(70)


async def test_a_pull_request_that_is_gone_is_not_found_in_the_clone(host: Host, mine: Clone) -> None:
    host.push("wanted")
    host.make_merge()
    source = pack_source(mine.packs)
    await source.fetch_pull(7)
    host.forget(HEAD)
    host.forget(MERGE)
    with pytest.raises(PackSourceError, match="offers no pull request 7"):
        await source.fetch_pull(7)


async def test_nothing_but_its_own_refs_is_written(host: Host, mine: Clone) -> None:
    before = mine.git("for-each-ref"), mine.git("rev-parse", "HEAD"), mine.git("status", "--porcelain")
    host.push("wanted")
    host.make_merge()
    host.server.push("newer on main")
    await pack_source(mine.packs).fetch_pull(7)
    mine_refs = [ref for ref in mine.git("for-each-ref").splitlines() if "refs/sharepack/" not in ref]
    assert ("\n".join(mine_refs), mine.git("rev-parse", "HEAD"), mine.git("status", "--porcelain")) == before
    assert mine.git("for-each-ref", "--format=%(refname)", "refs/sharepack").splitlines() == [
        "refs/sharepack/pull/7/head",
        "refs/sharepack/pull/7/merge",
    ]
    assert not (mine.root / FEATURE).exists()
    assert not (mine.root / ".git" / "FETCH_HEAD").exists()


async def test_another_pull_request_is_left_alone(host: Host, mine: Clone) -> None:
    host.push("wanted")
    host.server.author.git("push", "--quiet", "origin", "feature:refs/pull/70/head", "feature:refs/pull/71/head")
    source = pack_source(mine.packs)
    await source.fetch_pull(70)
    await source.fetch_pull(7)
    refs = mine.git("for-each-ref", "--format=%(refname)", "refs/sharepack").splitlines()
    assert refs == ["refs/sharepack/pull/7/head", "refs/sharepack/pull/70/head"]


async def test_no_hook_runs(host: Host, mine: Clone, tmp_path: Path) -> None:
    ran = tmp_path / "ran"
    for name in ("reference-transaction", "post-merge", "post-checkout", "pre-auto-gc"):
        hook = mine.root / ".git" / "hooks" / name
        hook.parent.mkdir(exist_ok=True)
        hook.write_text(f"#!/bin/sh\necho {name} >> '{ran}'\n")
        hook.chmod(0o755)
    host.push("wanted")
    host.make_merge()
    await pack_source(mine.packs).fetch_pull(7)
    assert not ran.exists()


async def test_submodules_that_it_brings_are_not_fetched(host: Host, mine: Clone, tmp_path: Path) -> None:
    host.push("wanted")
    author = host.server.author
    author.git("switch", "--quiet", "feature")
    author.write(".gitmodules", f'[submodule "x"]\n  path = x\n  url = file://{tmp_path}/nowhere\n')
    author.git("update-index", "--add", "--cacheinfo", f"160000,{'a' * 40},x")
    author.git("add", ".gitmodules")
    author.git("commit", "--quiet", "--message", "A submodule")
    author.git("push", "--quiet", "origin", f"HEAD:{HEAD}")
    mine.git("config", "fetch.recurseSubmodules", "true")
    assert await pack_source(mine.packs).fetch_pull(7) == author.git("rev-parse", "HEAD")


async def test_in_a_bare_repository(host: Host, mine: Clone) -> None:
    bare = mine.root.parent / "mirror.git"
    mine.git("clone", "--quiet", "--bare", host.server.url, str(bare))
    host.push("wanted")
    merge = host.make_merge()
    assert await pack_source(bare / "sharepacks").fetch_pull(7) == merge


async def test_in_a_shallow_clone_the_merge_is_known_for_what_it_is(host: Host) -> None:
    for number in range(4):
        host.server.push(f"main {number}")
    host.push("wanted")
    merge = host.make_merge()
    shallow = host.server.clone("shallow", "--depth", "1")
    source = pack_source(shallow.packs)
    assert await source.fetch_pull(7) == merge
    assert FEATURE in (await source.committed(merge)).files
    assert shallow.git("rev-parse", "--is-shallow-repository") == "true"


async def test_where_the_history_ends_at_the_merge_it_still_has_its_parents(host: Host) -> None:
    host.push("wanted")
    merge = host.make_merge()
    shallow = host.server.clone("shallow")
    shallow.git("fetch", "--quiet", "--depth", "1", "origin", MERGE, HEAD)
    assert merge in (shallow.root / ".git" / "shallow").read_text()
    assert await pack_source(shallow.packs).fetch_pull(7) == merge


async def test_in_a_clone_without_file_contents(host: Host) -> None:
    host.push("wanted")
    merge = host.make_merge()
    partial = host.server.clone("partial", "--filter=blob:none", "--no-checkout")
    assert await pack_source(partial.packs).fetch_pull(7) == merge


async def test_several_at_once(host: Host, mine: Clone) -> None:
    head = host.push("wanted")
    found = await asyncio.gather(*(GitPackSource(mine.packs).fetch_pull(7) for _ in range(4)))
    assert found == [head] * 4


async def test_who_waits_for_commits_is_not_woken_by_it(host: Host, mine: Clone) -> None:
    source = pack_source(mine.packs)
    await source.newest()
    host.push("wanted")
    host.make_merge()
    await source.fetch_pull(7)
    assert not await source.changed(1)
    host.server.push("merged")
    await source.fetch()
    assert await source.changed(10)


async def test_a_remote_that_does_not_answer_is_given_up(mine: Clone) -> None:
    with hanging() as place:
        mine.git("remote", "set-url", "origin", f"git://{place}/packs.git")
        began = time.monotonic()
        with pytest.raises(PackSourceError, match="did not end within 1 s"):
            await GitPackSource(mine.packs, fetch_limit=1).fetch_pull(7)
        assert time.monotonic() - began < 10


async def test_a_repository_without_a_remote_says_so(clone: Clone) -> None:
    with pytest.raises(PackSourceError, match=r"no remote to take pull request 7 from.*git remote add"):
        await pack_source(clone.packs).fetch_pull(7)


async def test_a_folder_outside_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(PackSourceError, match=r"is not in a Git repository, so there is no pull request 7"):
        await FolderPackSource(tmp_path).fetch_pull(7)
