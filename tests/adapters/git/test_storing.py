"""What a put does to a repository and its remote, who is named in it, and what it leaves alone."""

import asyncio
import os
import threading
from pathlib import Path

import pytest

from reconciler.adapters.git import pack_source
from reconciler.adapters.git.storing import GitPackStore
from reconciler.ports.pack_store import PackStoreError, Put
from reconciler.settings import Settings
from reconciler.wiring import pack_store
from tests.adapters.git.conftest import PACK, Clone
from tests.adapters.git.remotes import Server, cloned, serve

NEW = "sharepacks/Rückversicherung Köln/Q1 größer.yaml"
MESSAGE = "Hand in Q1\n\nFrom the portal.\n\nHanded-in-by: rita\nUpload: 17\n"


def a_put(path: str = NEW, content: bytes | None = b"new\r\n", author: str = "Rita Röhl <rita@example.org>") -> Put:
    return Put({path: content}, MESSAGE, author)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return serve(tmp_path)


@pytest.fixture
def mine(server: Server) -> Clone:
    return cloned(server, "my clone")


async def test_a_file_is_committed_on_top_of_the_remote_and_pushed(server: Server, mine: Clone) -> None:
    before = mine.git("rev-parse", "HEAD")
    theirs = server.push("second")
    stored = await GitPackStore(mine.packs).put(a_put())
    assert stored.is_new
    assert server.bare.git("rev-parse", "main", "main^") == f"{stored.commit}\n{theirs}"
    assert server.bare.git("show", "-s", "--format=%an <%ae>|%cn <%ce>", "main") == (
        "Rita Röhl <rita@example.org>|sharepack <sharepack@localhost>"
    )
    assert server.bare.git("show", "-s", "--format=%B", "main") == MESSAGE.strip()
    assert server.bare.git("show", "-s", "--format=%(trailers:key=Upload,valueonly)", "main") == "17"
    assert server.bare.git("-c", "core.quotePath=false", "diff", "--name-status", "main^", "main") == f"A\t{NEW}"
    assert mine.git("rev-parse", "HEAD", "origin/main") == f"{before}\n{stored.commit}"
    assert mine.git("status", "--porcelain") == ""
    assert not (mine.root / NEW).exists()


async def test_what_was_put_is_what_is_read(server: Server, mine: Clone) -> None:
    stored = await GitPackStore(mine.packs).put(a_put())
    source = pack_source(mine.packs)
    assert await source.newest() == stored.commit
    assert (await source.committed(stored.commit)).files == {PACK: b"first", NEW: b"new\r\n"}


async def test_twice_the_same_is_one_commit(server: Server, mine: Clone) -> None:
    store = GitPackStore(mine.packs)
    first = await store.put(a_put())
    theirs = server.push("--", "--force")
    again = await store.put(a_put())
    assert again.is_new
    assert server.bare.git("rev-parse", "main^") == theirs
    repeated = await GitPackStore(mine.packs).put(a_put())
    assert (repeated.commit, repeated.is_new) == (again.commit, False)
    assert first.commit != again.commit


async def test_files_are_changed_and_taken_away_in_one_commit(server: Server, mine: Clone) -> None:
    store = GitPackStore(mine.packs)
    await store.put(a_put())
    stored = await store.put(Put({NEW: None, PACK: b"second", "sharepacks/gone.yaml": None}, "Move", "rita"))
    files = server.bare.git("ls-tree", "-r", "--name-only", "main").splitlines()
    assert files == [PACK]
    assert server.bare.git("show", f"{stored.commit}:{PACK}") == "second"
    assert not (await store.put(Put({NEW: None}, "Again", "rita"))).is_new


async def test_a_file_takes_the_place_of_a_folder_that_goes(mine: Clone) -> None:
    stored = await GitPackStore(mine.packs).put(Put({PACK: None, "sharepacks/sales": b"flat"}, "Flat", "rita"))
    assert mine.git("ls-tree", "-r", "--name-only", stored.commit) == "sharepacks/sales"


async def test_a_file_that_can_be_run_stays_so(server: Server, mine: Clone) -> None:
    mine.git("update-index", "--chmod=+x", PACK)
    mine.git("commit", "--quiet", "--message", "Make it a program")
    mine.git("push", "--quiet")
    await GitPackStore(mine.packs).put(a_put(PACK))
    assert server.bare.git("ls-tree", "main", PACK).startswith("100755 blob")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("Rita Röhl <rita@example.org>", "Rita Röhl <rita@example.org>"),
        ("Rita\nauthor Eve <eve@evil>\n <rita@example.org>", "Rita author Eve eve@evil <rita@example.org>"),
        ("Rita <r@x>\ncommitter Eve <eve@evil>", "Rita r@x committer Eve <eve@evil>"),
        ("rita@example.org", "rita <rita@example.org>"),
        ("Rita", "Rita <unknown@localhost>"),
        ("", "unknown <unknown@localhost>"),
        ("... <>", "unknown <unknown@localhost>"),
        ("\x00\x1b[31mRita <a\x00b@c d>", "[31mRita <ab@cd>"),
        ("a" * 5000 + " <x@y>", "a" * 200 + " <x@y>"),
        ("\ud800 <x@y>", "? <x@y>"),
    ],
)
async def test_whatever_names_the_author_is_harmless(mine: Clone, given: str, shown: str) -> None:
    stored = await GitPackStore(mine.packs).put(a_put(author=given))
    head = mine.git("cat-file", "commit", stored.commit).partition("\n\n")[0].splitlines()
    assert [line.split()[0] for line in head] == ["tree", "parent", "author", "committer"]
    assert mine.git("show", "-s", "--format=%an <%ae>", stored.commit) == shown


async def test_a_message_of_any_kind(mine: Clone) -> None:
    store = GitPackStore(mine.packs, committer="Portal <portal@example.org>")
    for number, message in enumerate(("", "# not a comment\n\n\nlines stay", "\x00nul", "\ud800", "-m")):
        stored = await store.put(Put({NEW: b"%d" % number}, message, "rita"))
        said = mine.git("cat-file", "commit", stored.commit).partition("\n\n")[2]
        assert said == message.replace("\x00", "").replace("\ud800", "?")
    assert mine.git("show", "-s", "--format=%cn <%ce>", "origin/main") == "Portal <portal@example.org>"


async def test_a_branch_begins_at_the_followed_one_and_goes_on(server: Server, mine: Clone) -> None:
    main = server.push("second")
    store = GitPackStore(mine.packs)
    first = await store.put(a_put(), "sharepack/q1")
    assert server.bare.git("rev-parse", "sharepack/q1", "sharepack/q1^") == f"{first.commit}\n{main}"
    server.push("third")
    second = await store.put(a_put(PACK), "sharepack/q1")
    assert server.bare.git("rev-parse", "sharepack/q1^") == first.commit
    assert not (await store.put(a_put(), "sharepack/q1")).is_new
    assert mine.git("rev-parse", "origin/sharepack/q1") == second.commit
    assert mine.git("branch", "--format=%(refname:short)") == "main"


async def test_what_the_followed_branch_has_already_makes_no_branch(server: Server, mine: Clone) -> None:
    store = GitPackStore(mine.packs)
    main = await store.put(a_put())
    assert await store.put(a_put(), "proposal") == type(main)(main.commit, is_new=False)
    assert server.bare.git("branch", "--format=%(refname:short)") == "main"


async def test_a_clone_of_one_branch_can_put_to_another(server: Server, tmp_path: Path) -> None:
    server.push("elsewhere", branch="proposal")
    one = server.clone("one branch", "--single-branch", "--branch", "main")
    theirs = server.bare.git("rev-parse", "proposal")
    stored = await GitPackStore(one.packs).put(a_put(), "proposal")
    assert server.bare.git("rev-parse", "proposal", "proposal^") == f"{stored.commit}\n{theirs}"
    assert not (await GitPackStore(one.packs).put(a_put(), "proposal")).is_new


async def test_shallow_and_partial_clones(server: Server) -> None:
    server.push("second")
    for name, option in (("shallow", "--depth=1"), ("partial", "--filter=blob:none"), ("bare", "--no-checkout")):
        clone = server.clone(name, option)
        before = server.bare.git("rev-parse", "main")
        stored = await GitPackStore(clone.packs).put(a_put(f"sharepacks/{name}.yaml"))
        assert server.bare.git("rev-parse", "main", "main^") == f"{stored.commit}\n{before}"
    assert server.bare.git("fsck", "--no-dangling") == ""


async def test_bare_clones(server: Server) -> None:
    mirror = server.clone("mirror.git", "--mirror")
    theirs = server.push("second")
    stored = await GitPackStore(mirror.packs).put(a_put())
    assert server.bare.git("rev-parse", "main", "main^") == f"{stored.commit}\n{theirs}"
    assert await pack_source(mirror.packs).newest() == stored.commit
    bare = server.clone("bare.git", "--bare")
    stored = await GitPackStore(bare.packs, "origin/main").put(a_put(PACK))
    assert await pack_source(bare.packs).newest("origin/main") == stored.commit == server.bare.git("rev-parse", "main")


async def test_the_first_commit_of_all(tmp_path: Path) -> None:
    remote = Clone(tmp_path / "empty.git")
    remote.root.mkdir()
    remote.git("init", "--quiet", "--bare")
    clone = remote.clone("clone")
    stored = await GitPackStore(clone.packs).put(a_put())
    assert remote.git("rev-list", "main") == stored.commit
    assert await pack_source(clone.packs).newest("origin/main") == stored.commit
    other = Clone(tmp_path / "sha256")
    other.root.mkdir()
    other.git("init", "--quiet", "--object-format=sha256")
    stored = await GitPackStore(other.packs).put(a_put())
    assert (len(stored.commit), other.git("rev-list", "main")) == (64, stored.commit)
    empty = Clone(tmp_path / "empty")
    empty.root.mkdir()
    empty.git("init", "--quiet")
    with pytest.raises(PackStoreError, match="has no commit yet"):
        await GitPackStore(empty.packs).put(a_put(content=None))


async def test_nothing_that_is_configured_is_run(server: Server, mine: Clone, tmp_path: Path) -> None:
    trace = tmp_path / "ran"
    program = tmp_path / "program"
    program.write_text(f'#!/bin/sh\necho "$0" >> "{trace}"\nexit 1\n')
    program.chmod(0o755)
    hooks = [each.name.removesuffix(".sample") for each in (mine.root / ".git/hooks").iterdir()]
    for name in {*hooks, "pre-push", "reference-transaction", "post-commit", "post-index-change"}:
        (mine.root / ".git/hooks" / name).unlink(missing_ok=True)
        (mine.root / ".git/hooks" / name).symlink_to(program)
    for name, value in {
        "commit.gpgSign": "true", "push.gpgSign": "true", "gpg.program": str(program), "core.fsmonitor": str(program),
        "filter.x.clean": str(program), "filter.x.smudge": str(program), "filter.x.required": "true",
        "core.autocrlf": "true", "core.splitIndex": "true", "core.editor": str(program),
        "core.hooksPath": str(mine.root / ".git/hooks"),
    }.items():  # fmt: skip
        mine.git("config", name, value)
    (mine.root / ".git/info/attributes").write_text("* filter=x text=auto eol=crlf\n")
    stored = await GitPackStore(mine.packs).put(a_put())
    assert mine.git("cat-file", "blob", f"{stored.commit}:{NEW}") == "new"
    assert mine.git("cat-file", "-s", f"{stored.commit}:{NEW}") == "5"
    assert not trace.exists()
    mine.git("config", "--remove-section", "remote.origin")
    mine.git("config", "--remove-section", "branch.main")
    # A file as young as the index is one that git would look at, and for that filter.
    mine.git("config", "core.checkStat", "minimal")
    mine.git("config", "core.trustctime", "false")
    young = ((mine.root / PACK).stat().st_mtime_ns,) * 2
    mine.write(PACK, (mine.root / PACK).read_bytes().swapcase())
    for name in (PACK, ".git/index"):
        os.utime(mine.root / name, ns=young)
    assert (await GitPackStore(mine.packs).put(a_put("sharepacks/local.yaml"))).is_new
    assert not trace.exists(), trace.read_text()
    mine.git("config", "--remove-section", "filter.x")
    (mine.root / ".git/info/attributes").unlink()
    assert PACK in mine.git("-c", "core.fsmonitor=false", "-c", "core.hooksPath=/dev/null", "status", "--short")


async def test_the_hooks_of_the_remote_have_their_say(server: Server, mine: Clone) -> None:
    hook = server.bare.root / "hooks/pre-receive"
    hook.write_text("#!/bin/sh\necho 'packs come in by pull request' >&2\nexit 1\n")
    hook.chmod(0o755)
    before = mine.git("rev-parse", "origin/main")
    with pytest.raises(PackStoreError, match="hook declined") as error:
        await GitPackStore(mine.packs).put(a_put())
    assert "pull request" in error.value.advice
    assert mine.git("rev-parse", "origin/main") == before == server.bare.git("rev-parse", "main")


async def test_a_linked_working_tree(server: Server, mine: Clone) -> None:
    mine.git("worktree", "add", "--quiet", "../linked", "-b", "side", "--track", "origin/main")
    linked = Clone(mine.root.parent / "linked")
    stored = await GitPackStore(linked.packs).put(a_put())
    assert server.bare.git("rev-parse", "main") == stored.commit


async def test_tasks_and_threads_share_a_store(server: Server, mine: Clone) -> None:
    store = GitPackStore(mine.packs)
    stored = []

    async def several(names: str) -> None:
        stored.extend(await asyncio.gather(*(store.put(a_put(f"sharepacks/{name}.yaml")) for name in names)))

    threads = [threading.Thread(target=lambda names=names: asyncio.run(several(names))) for names in ("abc", "def")]
    for thread in threads:
        thread.start()
    for thread in threads:
        await asyncio.to_thread(thread.join)
    assert sorted(server.bare.git("rev-list", "main").splitlines()[:-1]) == sorted(each.commit for each in stored)


async def test_who_stops_waiting_is_in_nobodys_way(mine: Clone) -> None:
    store = GitPackStore(mine.packs)
    tasks = [asyncio.create_task(store.put(a_put(f"sharepacks/{number}.yaml"))) for number in range(4)]
    await asyncio.sleep(0.02)
    for each in tasks[:3]:
        each.cancel()
    assert (await asyncio.wait_for(tasks[3], 30)).is_new
    assert all(
        isinstance(each, asyncio.CancelledError) for each in await asyncio.gather(*tasks[:3], return_exceptions=True)
    )


async def test_the_store_of_the_settings(mine: Clone) -> None:
    settings = Settings(packs_dir=mine.packs, packs_revision="origin/main")
    assert (await pack_store(settings).put(a_put())).is_new
