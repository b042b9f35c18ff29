"""What fetching brings, what it leaves alone, and what it says when it cannot."""

import asyncio
import os
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.adapters.git import GitPackSource, pack_source
from reconciler.adapters.git.fetch_failures import without_credentials
from reconciler.adapters.git.following import Remote
from reconciler.ports.pack_source import Ancestry, PackSourceError
from tests.adapters.git.conftest import PACK, Clone
from tests.adapters.git.remotes import Server, cloned, hanging, http_answering, serve

PASSWORD = "hunter2"


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return serve(tmp_path)


@pytest.fixture
def mine(server: Server) -> Clone:
    return cloned(server, "mine")


async def test_the_branch_of_the_remote_arrives_and_nothing_of_ones_own_moves(server: Server, mine: Clone) -> None:
    before = mine.git("rev-parse", "HEAD")
    mine.git("branch", "own")
    mine.git("tag", "kept")
    mine.write(PACK, "being edited")
    second = server.push("second")
    server.author.git("push", "--quiet", "origin", "HEAD:refs/tags/theirs")
    await pack_source(mine.packs).fetch()
    assert mine.git("rev-parse", "origin/main") == second
    assert mine.git("rev-parse", "HEAD") == mine.git("rev-parse", "own") == before
    assert (mine.packs / "sales/q1.yaml").read_text() == "being edited"
    assert mine.git("tag") == "kept"
    assert not (mine.root / ".git/FETCH_HEAD").exists()


async def test_a_branch_that_was_rewound_is_what_it_is_now(server: Server, mine: Clone) -> None:
    first, second = mine.git("rev-parse", "HEAD"), server.push("second")
    # Somebody has taken away the plus that lets Git move a branch backwards.
    mine.git("config", "remote.origin.fetch", "refs/heads/*:refs/remotes/origin/*")
    source = pack_source(mine.packs)
    await source.fetch()
    server.author.git("reset", "--quiet", "--hard", first)
    server.author.git("push", "--quiet", "--force", "origin", "main")
    await source.fetch()
    assert await source.newest() == first
    assert await source.ancestry(second, first) is Ancestry.REWOUND


async def test_nothing_is_done_without_a_remote(clone: Clone, tmp_path: Path) -> None:
    await pack_source(clone.packs).fetch()
    (tmp_path / "plain").mkdir()
    await pack_source(tmp_path / "plain").fetch()


async def test_the_remote_is_that_of_the_branch_else_origin_else_the_only_one(
    server: Server, mine: Clone, tmp_path: Path
) -> None:
    (tmp_path / "other").mkdir()
    other = serve(tmp_path / "other")
    mine.git("remote", "add", "other", other.url)
    source = pack_source(mine.packs)
    theirs = other.push("theirs")
    await source.fetch()
    assert "other/main" not in mine.git("branch", "--remotes")
    mine.git("config", "branch.main.remote", "other")
    await source.fetch()
    assert mine.git("rev-parse", "other/main") == theirs
    mine.git("checkout", "--quiet", "--detach")
    ours = server.push("ours")
    await source.fetch()
    assert mine.git("rev-parse", "origin/main") == ours
    mine.git("remote", "remove", "origin")
    theirs = other.push("more of theirs")
    await source.fetch()
    assert mine.git("rev-parse", "other/main") == theirs


async def test_of_two_remotes_none_of_which_is_meant_neither_is_fetched(server: Server, mine: Clone) -> None:
    mine.git("remote", "rename", "origin", "one")
    mine.git("remote", "add", "two", server.url)
    mine.git("checkout", "--quiet", "--detach")
    before = mine.git("rev-parse", "one/main")
    server.push("second")
    await pack_source(mine.packs).fetch()
    assert mine.git("rev-parse", "one/main") == before


async def test_a_refspec_that_would_write_ones_own_branches_is_not_used(server: Server, mine: Clone) -> None:
    mine.git("config", "remote.origin.fetch", "+refs/*:refs/*")
    mine.git("branch", "own")
    server.push("own", branch="own")
    before, second = mine.git("rev-parse", "HEAD"), server.push("second")
    await pack_source(mine.packs).fetch()
    assert mine.git("rev-parse", "main") == mine.git("rev-parse", "own") == before
    assert mine.git("rev-parse", "origin/main") == second


async def test_a_mirror_follows_the_remote_with_its_own_branches(server: Server) -> None:
    mirror = server.clone("mirror.git", "--mirror")
    source = pack_source(mirror.packs)
    second = server.push("second")
    await source.fetch()
    assert await source.newest() == second
    assert set((await source.committed(second)).files) == {PACK}


async def test_a_bare_clone_keeps_its_branches_and_shows_those_of_the_remote_beside_them(server: Server) -> None:
    bare = server.clone("bare.git", "--bare")
    first = bare.git("rev-parse", "HEAD")
    source = pack_source(bare.packs)
    second = server.push("second")
    await source.fetch()
    assert await source.newest() == first
    assert await source.newest("origin/main") == second


async def test_a_worktree_fetches_for_the_whole_repository(server: Server, mine: Clone) -> None:
    tree = Clone(mine.root.parent / "a tree")
    mine.git("worktree", "add", "--quiet", "-b", "side", "--track", str(tree.root), "origin/main")
    second = server.push("second")
    source = pack_source(tree.packs)
    await source.fetch()
    assert await source.newest() == mine.git("rev-parse", "origin/main") == second


async def test_a_clone_of_one_branch_fetches_that_branch_only(server: Server) -> None:
    server.push("elsewhere", branch="side")
    single = server.clone("single", "--single-branch")
    second = server.push("second")
    await pack_source(single.packs).fetch()
    assert single.git("for-each-ref", "--format=%(refname) %(objectname)", "refs/remotes/origin/main") == (
        f"refs/remotes/origin/main {second}"
    )
    assert "side" not in single.git("branch", "--remotes")


async def test_a_shallow_clone_stays_shallow_and_knows_all_that_comes(server: Server) -> None:
    first, second = server.author.git("rev-parse", "HEAD"), server.push("second")
    shallow = server.clone("shallow", "--depth", "1")
    server.push("third")
    fourth = server.push("fourth")
    source = pack_source(shallow.packs)
    await source.fetch()
    assert shallow.git("rev-parse", "--is-shallow-repository") == "true"
    assert await source.newest() == fourth
    assert await source.ancestry(second, fourth) is Ancestry.DESCENDS
    assert await source.ancestry(first, fourth) is Ancestry.CUT_OFF


async def test_two_that_fetch_at_once_both_succeed(server: Server, mine: Clone) -> None:
    for number in range(2):
        for branch in ("main", "a", "b", "c"):
            newest = server.push(f"{number} {branch}", branch=branch)
        await asyncio.gather(*(GitPackSource(mine.packs).fetch() for _ in range(4)))
        assert mine.git("rev-parse", "origin/c") == newest
    mine.git("fsck", "--strict")


async def test_a_lock_that_is_let_go_in_time_is_no_failure(server: Server, mine: Clone) -> None:
    second = server.push("second")
    lock = mine.root / ".git/refs/remotes/origin/main.lock"
    lock.touch()
    fetching = asyncio.create_task(pack_source(mine.packs).fetch())
    await asyncio.sleep(0.3)
    lock.unlink()
    await fetching
    assert mine.git("rev-parse", "origin/main") == second


async def test_a_lock_left_by_a_killed_git_is_named_with_its_age(server: Server, mine: Clone) -> None:
    server.push("second")
    lock = mine.root / ".git/refs/remotes/origin/main.lock"
    lock.touch()
    os.utime(lock, (time.time() - 3600, time.time() - 3600))
    with pytest.raises(PackSourceError, match=r"main\.lock has been there for 3,6\d\d s.*remove that file"):
        await pack_source(mine.packs).fetch()


async def test_the_remote_gone_for_a_while_and_back(server: Server, mine: Clone) -> None:
    source = pack_source(mine.packs)
    before = await source.newest()
    aside = server.bare.root.rename(server.bare.root.with_name("aside"))
    with pytest.raises(PackSourceError, match=r"'origin'.*no repository at its URL.*git remote -v"):
        await source.fetch()
    assert await source.newest() == before
    aside.rename(server.bare.root)
    second = server.push("second")
    await source.fetch()
    assert await source.newest() == second


async def test_an_empty_remote_is_fetched_and_has_no_commit_until_one_is_pushed(tmp_path: Path) -> None:
    bare = Clone(tmp_path / "server.git")
    bare.root.mkdir()
    bare.git("init", "--quiet", "--bare")
    source = pack_source(bare.clone("mine").packs)
    await source.fetch()
    with pytest.raises(PackSourceError, match="has no commit yet"):
        await source.newest()
    author = bare.clone("author")
    author.write(PACK)
    first = author.commit()
    author.git("push", "--quiet", "origin", "main")
    await source.fetch()
    assert await source.newest() == first


async def test_a_deleted_branch_is_an_error_and_not_an_older_commit(server: Server, mine: Clone) -> None:
    server.push("other", branch="other")
    source = pack_source(mine.packs)
    server.bare.git("symbolic-ref", "HEAD", "refs/heads/other")
    server.author.git("push", "--quiet", "origin", ":main")
    await source.fetch()
    with pytest.raises(
        PackSourceError, match=r"'main' of the remote 'origin'.*deleted.*Nothing is taken to be removed"
    ):
        await source.newest()
    with pytest.raises(PackSourceError, match="There is no commit 'origin/main'"):
        await source.newest("origin/main")
    again = server.push("again")
    await source.fetch()
    assert await source.newest() == again


async def test_the_only_branch_of_a_clone_deleted_is_named(server: Server) -> None:
    single = server.clone("single", "--single-branch")
    server.push("other", branch="other")
    server.bare.git("symbolic-ref", "HEAD", "refs/heads/other")
    server.author.git("push", "--quiet", "origin", ":main")
    with pytest.raises(PackSourceError, match=r"branch 'main' is no longer there. Nothing is taken to be removed"):
        await pack_source(single.packs).fetch()


@pytest.mark.parametrize(
    ("status", "says"),
    [
        (401, "does not let this process in.*credential helper"),
        (403, "does not let this process in"),
        (404, "no repository at its URL"),
        (503, "cannot be reached.*tries again by itself"),
    ],
)
async def test_a_refusal_says_what_to_do_and_shows_no_password(mine: Clone, status: int, says: str) -> None:
    with http_answering(status) as host:
        mine.git("remote", "set-url", "origin", f"http://robot:{PASSWORD}@{host}/packs.git")
        with pytest.raises(PackSourceError, match=says) as failed:
            await pack_source(mine.packs).fetch()
    assert_no_credentials(failed.value)


@pytest.mark.parametrize(
    ("url", "says"),
    [
        (f"http://robot:{PASSWORD}@127.0.0.1:1/packs.git", "cannot be reached"),
        (f"http://robot:{PASSWORD}@no-such-host.invalid/packs.git", "host name cannot be resolved|cannot be reached"),
        (f"git://robot:{PASSWORD}@127.0.0.1:1/packs.git", "host name cannot be resolved|cannot be reached"),
        (f"ext::sh -c true robot:{PASSWORD}@host", "transport 'ext' not allowed"),
        (f"https://robot:{PASSWORD}@host:99999/packs.git", "git fetch origin failed"),
    ],
)
async def test_an_unreachable_remote_says_so_and_shows_no_password(mine: Clone, url: str, says: str) -> None:
    mine.git("remote", "set-url", "origin", url)
    with pytest.raises(PackSourceError, match=says) as failed:
        await pack_source(mine.packs).fetch()
    assert_no_credentials(failed.value)


@pytest.mark.parametrize(
    "url",
    [
        f"https://robot:{PASSWORD}@host/packs.git",
        f"https://{PASSWORD}@host/packs.git",
        f"https://robot:{PASSWORD}/{PASSWORD}@host/packs.git",
        f"https://robot:{PASSWORD} {PASSWORD}@host/packs.git",
        f"https://robot:{PASSWORD}@@host/packs.git",
        f"https://host/packs.git?sig={PASSWORD}",
    ],
)
def test_a_password_in_whatever_place_is_not_repeated(url: str) -> None:
    said = without_credentials(f"fatal: unable to access '{url}/': no\nremote: {url}\n", Remote("origin", (), (url,)))
    assert PASSWORD not in said
    assert "host/packs.git" in said
    assert PASSWORD not in repr(Remote("origin", (), (url,)))


def assert_no_credentials(error: PackSourceError) -> None:
    seen: BaseException | None = error
    while seen is not None:
        assert PASSWORD not in f"{seen!r} {seen} {seen.args}"
        assert "robot" not in str(seen)
        seen = seen.__cause__ or seen.__context__


async def test_a_remote_that_never_answers_ends_in_time_and_leaves_nothing_behind(mine: Clone) -> None:
    with hanging() as host:
        mine.git("remote", "set-url", "origin", f"http://{host}/packs.git")
        started = time.monotonic()
        with pytest.raises(PackSourceError, match=r"did not end within 1 s"):
            await GitPackSource(mine.packs, fetch_limit=1).fetch()
        assert time.monotonic() - started < 6
    await all_gone(host)


async def test_cancelling_ends_git_at_once(mine: Clone) -> None:
    with hanging() as host:
        mine.git("remote", "set-url", "origin", f"http://{host}/packs.git")
        fetching = asyncio.create_task(pack_source(mine.packs).fetch())
        while not list(processes_naming(host)):
            await asyncio.sleep(0.02)
        started = time.monotonic()
        fetching.cancel()
        with pytest.raises(asyncio.CancelledError):
            await fetching
        assert time.monotonic() - started < 5
    await all_gone(host)


async def all_gone(word: str) -> None:
    """A process that was killed dies when it is its turn, which on a busy machine takes a moment."""
    end = time.monotonic() + 5
    while (left := list(processes_naming(word))) and time.monotonic() < end:
        await asyncio.sleep(0.02)
    assert left == []


def processes_naming(word: str) -> Iterator[str]:
    for place in Path("/proc").glob("[0-9]*/cmdline"):
        try:
            line = place.read_bytes()
        except OSError:
            continue
        if word.encode() in line and b"git" in line:
            yield line.decode(errors="replace")


@pytest.mark.parametrize("given", ["core.sshCommand", "GIT_SSH_COMMAND", "GIT_SSH"])
async def test_ssh_is_run_as_configured_and_told_not_to_ask(
    mine: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, given: str
) -> None:
    heard = tmp_path / "heard"
    script = tmp_path / "bin of mine" / "ssh"
    script.parent.mkdir()
    asks = "$SSH_ASKPASS|$SSH_ASKPASS_REQUIRE|$GIT_ASKPASS|$GIT_TERMINAL_PROMPT"
    script.write_text(f'#!/bin/sh\necho "$*|{asks}" >>"{heard}"\necho "Host key verification failed." >&2\nexit 255\n')
    script.chmod(0o755)
    if given == "core.sshCommand":
        mine.git("config", given, f"'{script}' -i key")
    else:
        monkeypatch.setenv(given, str(script) if given == "GIT_SSH" else f"'{script}' -i key")
    monkeypatch.setenv("SSH_ASKPASS", "/bin/false")
    monkeypatch.setenv("GIT_ASKPASS", "/bin/false")
    mine.git("remote", "set-url", "origin", "ssh://git@host.invalid/packs.git")
    with pytest.raises(PackSourceError, match=r"host key is not known.*known_hosts"):
        await pack_source(mine.packs).fetch()
    (line, *_) = heard.read_text().splitlines()
    assert "-o BatchMode=yes" in line
    assert ("-i key" in line) == (given != "GIT_SSH")
    assert line.endswith("||never||0")


async def test_a_credential_helper_is_asked_and_may_take_its_token_from_the_environment(
    mine: Clone, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("GIT_TOKEN_OF_MINE", PASSWORD)
    seen = tmp_path / "seen"
    helper = f"!f() {{ echo username=robot; echo password=$GIT_TOKEN_OF_MINE; echo $GIT_TOKEN_OF_MINE >'{seen}'; }}; f"
    mine.git("config", "credential.helper", helper)
    with http_answering(401) as host:
        mine.git("remote", "set-url", "origin", f"http://{host}/packs.git")
        with pytest.raises(PackSourceError, match="does not let this process in") as failed:
            await pack_source(mine.packs).fetch()
    assert seen.read_text().strip() == PASSWORD
    assert_no_credentials(failed.value)


async def test_a_git_hook_that_calls_us_does_not_send_us_to_its_repository(
    server: Server, mine: Clone, monkeypatch: pytest.MonkeyPatch
) -> None:
    second = server.push("second")
    monkeypatch.setenv("GIT_DIR", str(server.author.root / ".git"))
    monkeypatch.setenv("GIT_INDEX_FILE", "nowhere")
    await pack_source(mine.packs).fetch()
    monkeypatch.delenv("GIT_DIR")
    monkeypatch.delenv("GIT_INDEX_FILE")
    assert mine.git("rev-parse", "origin/main") == second


async def test_no_hook_of_the_clone_is_run(server: Server, mine: Clone, tmp_path: Path) -> None:
    hook = mine.root / ".git/hooks/reference-transaction"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text(f"#!/bin/sh\ntouch '{tmp_path}/sprung'\n")
    hook.chmod(0o755)
    server.push("second")
    await pack_source(mine.packs).fetch()
    assert not (tmp_path / "sprung").exists()
