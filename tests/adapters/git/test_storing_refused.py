"""Which puts are refused, in which words, and that nothing is left of them."""

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from reconciler.adapters.git.following import Remote
from reconciler.adapters.git.repository import locate
from reconciler.adapters.git.storing import GitPackStore
from reconciler.adapters.git.storing_commit import line, person
from reconciler.adapters.git.storing_failures import is_overtaken, not_pushed
from reconciler.ports.pack_store import PackStoreError, Put
from tests.adapters.git.conftest import PACK, Clone
from tests.adapters.git.remotes import Server, cloned, hanging, http_answering, serve

NEW = "sharepacks/sales/q2.yaml"
PASSWORD = "hunter2"


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return serve(tmp_path)


@pytest.fixture
def mine(server: Server) -> Clone:
    return cloned(server, "my clone")


def a_put(path: str = NEW, content: bytes | None = b"new\n") -> Put:
    return Put({path: content}, "Hand in", "Rita <rita@example.org>")


async def refused(store: GitPackStore, put: Put, branch: str = "") -> PackStoreError:
    with pytest.raises(PackStoreError) as error:
        await store.put(put, branch)
    return error.value


@pytest.mark.parametrize(
    ("path", "words"),
    [
        ("README.md", "does not lie in the packs folder 'sharepacks'"),
        ("sharepacks2/x.yaml", "does not lie in the packs folder"),
        ("Sharepacks/x.yaml", "does not lie in the packs folder"),
        ("sharepacks", "does not lie in the packs folder"),
        ("sharepacks/", "does not name a file"),
        ("sharepacks//x.yaml", "does not name a file"),
        ("sharepacks/../x.yaml", "does not name a file"),
        ("sharepacks/sales/../../.git/hooks/pre-push", "does not name a file"),
        ("../x.yaml", "does not name a file"),
        ("/sharepacks/x.yaml", "not a path relative to the repository"),
        ("C:/sharepacks/x.yaml", "not a path relative to the repository"),
        ("sharepacks\\x.yaml", "not a path relative to the repository"),
        ("", "does not name a file"),
        ("sharepacks/.git/config", "hidden files"),
        ("sharepacks/.GIT/config", "hidden files"),
        ("sharepacks/git~1/config", "hidden files"),
        ("sharepacks/.gitattributes", "hidden files"),
        ("sharepacks/.github/x.yaml", "hidden files"),
        ("sharepacks/x\x00.yaml", "control characters"),
        ("sharepacks/x\n100644 blob.yaml", "control characters"),
        ("sharepacks/\ud800.yaml", "not Unicode text"),
        (f"sharepacks/{'ü' * 128}", "longer than 255 bytes"),
        # Code points that HFS+ leaves out: this is `.git` there.
        ("sharepacks/\u200c.git/config", "hidden files"),
    ],
)
async def test_a_path_that_is_no_place_for_a_pack(server: Server, mine: Clone, path: str, words: str) -> None:
    before = server.bare.git("rev-parse", "main")
    error = await refused(GitPackStore(mine.packs), a_put(path))
    assert words in error.what
    assert server.bare.git("rev-parse", "main") == before
    assert "control" in words or "\n" not in str(error)


async def test_the_root_may_be_the_packs_folder(server: Server, mine: Clone) -> None:
    store = GitPackStore(mine.root)
    assert (await store.put(a_put("q3.yaml"))).is_new
    assert "hidden files" in (await refused(store, a_put(".gitmodules"))).what


@pytest.mark.parametrize(
    ("path", "words"),
    [
        (f"{PACK}/deeper.yaml", "'sharepacks/sales/q1.yaml' is a file"),
        ("sharepacks/sales", "'sharepacks/sales' is a folder"),
        ("sharepacks/SALES", "'sharepacks/sales' is a folder"),
        ("sharepacks/sales/Q1.YAML", "'sharepacks/sales/q1.yaml' is there, which is the same name"),
        ("sharepacks/Sales/q1.yaml", "'sharepacks/sales/q1.yaml' is there, which is the same name"),
        ("sharepacks/STRASSE.yaml", "'sharepacks/straße.yaml' is there"),
        ("sharepacks/gro\u0308ßer.yaml", "is there, which is the same name"),
        ("sharepacks/link", "'sharepacks/link' is a symbolic link"),
        ("sharepacks/link/x.yaml", "'sharepacks/link' is a symbolic link"),
        ("sharepacks/other/x.yaml", "'sharepacks/other' is a Git repository of its own"),
    ],
)
async def test_something_else_is_in_the_way(server: Server, mine: Clone, path: str, words: str) -> None:
    mine.write("sharepacks/straße.yaml")
    mine.write("sharepacks/größer.yaml")
    (mine.packs / "link").symlink_to("/etc")
    mine.git("update-index", "--add", "--cacheinfo", f"160000,{mine.git('rev-parse', 'HEAD')},sharepacks/other")
    mine.git("add", "--all", "sharepacks/straße.yaml", "sharepacks/größer.yaml", "sharepacks/link")
    mine.git("commit", "--quiet", "--message", "Lay stones")
    mine.git("push", "--quiet")
    store = GitPackStore(mine.packs)
    assert words in (await refused(store, a_put(path))).what
    assert (await store.put(a_put("sharepacks/Sales/q2.yaml"))).is_new


async def test_files_of_one_put_stand_in_each_others_way(mine: Clone) -> None:
    files = {"sharepacks/a.yaml": b"1", "sharepacks/A.yaml": b"2"}
    assert "the same name" in (await refused(GitPackStore(mine.packs), Put(files, "m", "rita"))).what
    files = {"sharepacks/a": b"1", "sharepacks/a/b": b"2"}
    assert "is a file" in (await refused(GitPackStore(mine.packs), Put(files, "m", "rita"))).what


async def test_a_change_of_case_is_a_renaming(mine: Clone) -> None:
    put = Put({PACK: None, "sharepacks/Sales/Q1.yaml": b"x"}, "Rename", "rita")
    assert (await GitPackStore(mine.packs).put(put)).is_new


async def test_what_is_too_large_to_be_read_is_not_written(mine: Clone) -> None:
    error = await refused(GitPackStore(mine.packs), a_put(content=b"x" * (64 * 1024 * 1024 + 1)))
    assert "files of more than 64 MB are not read" in error.what


def test_a_path_that_only_git_refuses(mine: Clone) -> None:
    """Should its list of names ever be longer than ours."""
    head = mine.git("rev-parse", "HEAD")
    with line(locate(mine.packs), head, person("x")) as grown:
        with pytest.raises(PackStoreError, match="Git refuses a file name"):
            grown.add(a_put("sharepacks/.git/x"))
        made = grown.add(a_put())
    assert mine.git("diff", "--name-only", head, str(made)) == NEW


@pytest.mark.parametrize("branch", ["-x", "a..b", "a b", "a~1", "x.lock", "a\nb", "@{", "a/"])
async def test_a_name_that_no_branch_has(server: Server, mine: Clone, branch: str) -> None:
    await refused(GitPackStore(mine.packs), a_put(), branch)
    assert server.bare.git("branch", "--format=%(refname:short)") == "main"


async def test_no_repository(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    assert "not in a Git repository" in (await refused(GitPackStore(tmp_path / "plain"), a_put("q.yaml"))).what


def _detach(clone: Clone) -> None:
    clone.git("checkout", "--quiet", "--detach")


def _forget_upstream(clone: Clone) -> None:
    clone.git("branch", "--unset-upstream")


def _follow_nothing(clone: Clone) -> None:
    clone.git("config", "branch.main.remote", "nowhere")


def _fetch_others_only(clone: Clone) -> None:
    clone.git("config", "remote.origin.fetch", "+refs/heads/release:refs/remotes/origin/release")


@pytest.mark.parametrize(
    ("change", "revision", "words", "advice"),
    [
        (_detach, "", "No branch is checked out", "packs_revision"),
        (_forget_upstream, "", "which no fetch from the remote 'origin' brings up to date", "--set-upstream-to"),
        (_follow_nothing, "", "follows the remote 'nowhere', which is not there", "git remote add"),
        (_fetch_others_only, "", "couldn't find|no fetch from the remote 'origin'", ""),
        (_detach, "main", "which no fetch from the remote 'origin' brings up to date", "origin/main"),
        (_detach, "HEAD^{commit}", "is not a branch of", "origin/main"),
        (_detach, "origin/nowhere", "is not there, and the remote is not empty", "Push it again"),
    ],
)
async def test_no_branch_that_is_read_and_can_be_written(
    server: Server, mine: Clone, change: Callable[[Clone], None], revision: str, words: str, advice: str
) -> None:
    change(mine)
    if change is _fetch_others_only:
        server.push("release", branch="release")
    error = await refused(GitPackStore(mine.packs, revision), a_put())
    assert any(each in error.what for each in words.split("|"))
    assert advice in error.advice


async def test_a_branch_that_went_away_is_not_made_again(server: Server, mine: Clone) -> None:
    server.push("release", branch="release")
    server.bare.git("symbolic-ref", "HEAD", "refs/heads/release")
    server.author.git("push", "--quiet", "origin", ":main")
    error = await refused(GitPackStore(mine.packs), a_put())
    assert "is not there, and the remote is not empty" in error.what
    assert server.bare.git("branch", "--format=%(refname:short)") == "release"


async def test_a_remote_that_is_gone(server: Server, mine: Clone) -> None:
    shutil.rmtree(server.bare.root)
    error = await refused(GitPackStore(mine.packs), a_put())
    assert "there is no repository at its URL" in error.what
    assert "git remote -v" in error.advice


async def test_a_remote_with_a_checked_out_branch(clone: Clone) -> None:
    other = clone.clone("other")
    error = await refused(GitPackStore(other.packs), a_put())
    assert "that branch is checked out in it" in error.what
    assert "bare" in error.advice


@pytest.mark.parametrize(
    ("status", "words"), [(401, "does not let this process in"), (403, "let this process in"), (404, "no repository")]
)
async def test_a_remote_that_refuses_shows_no_password(mine: Clone, status: int, words: str) -> None:
    with http_answering(status) as place:
        mine.git("remote", "set-url", "origin", f"http://rita:{PASSWORD}@{place}/packs.git")
        error = await refused(GitPackStore(mine.packs), a_put())
    assert words in error.what
    assert PASSWORD not in str(error)


async def test_a_push_elsewhere_that_refuses_shows_no_password(server: Server, mine: Clone) -> None:
    with http_answering(403) as place:
        mine.git("remote", "set-url", "--push", "origin", f"http://rita:{PASSWORD}@{place}/packs.git")
        error = await refused(GitPackStore(mine.packs), a_put())
    assert "Pushing 'main' to the remote 'origin'" in error.what
    assert "this process may not write there" in error.what
    assert PASSWORD not in str(error)
    mine.git("remote", "set-url", "--push", "origin", f"http://rita:{PASSWORD}/x@127.0.0.1/packs.git")
    assert PASSWORD not in str(await refused(GitPackStore(mine.packs), a_put()))


async def test_a_remote_that_does_not_answer(mine: Clone) -> None:
    with hanging() as place:
        mine.git("remote", "set-url", "origin", f"http://{place}/packs.git")
        error = await refused(GitPackStore(mine.packs, limit=0.5), a_put())
    assert "did not end within" in error.what


async def test_a_push_that_does_not_answer(server: Server, mine: Clone) -> None:
    with hanging() as place:
        mine.git("remote", "set-url", "--push", "origin", f"http://{place}/packs.git")
        error = await refused(GitPackStore(mine.packs, limit=2), a_put())
    assert "Pushing to the remote 'origin'" in error.what
    assert "did not end within" in error.what
    assert "nothing is committed twice" in error.advice


REMOTE = Remote("origin", (), ())


SAID = {
    "remote: error: GH006: Protected branch update failed for refs/heads/main.\n"
    " ! [remote rejected] 1234 -> main (protected branch hook declined)": "does not take this commit",
    "remote: error: GH013: Repository rule violations found for refs/heads/main.": "does not take this commit",
    "remote: GitLab: You are not allowed to push code to protected branches on this project.\n"
    " ! [remote rejected] 1234 -> main (pre-receive hook declined)": "does not take this commit",
    " ! [remote rejected] 1 -> main (TF402455: Pushes to this branch are not permitted; use a pull request.)":
        "does not take this commit",
    "remote: Permission to acme/packs.git denied to rita.\n"
    "fatal: unable to access 'https://github.com/acme/packs.git/': The requested URL returned error: 403":
        "may not write there",
    "ERROR: The key you are authenticating with has been marked as read only.\n"
    "fatal: Could not read from remote repository.": "may not write there",
    "remote: Write access to repository not granted.\nfatal: unable to access: returned error: 403":
        "may not write there",
    "remote: fatal: write error: No space left on device": "no room left",
    "fatal: unable to access 'https://x/': Could not resolve host: x": "cannot be resolved",
    "fatal: Authentication failed for 'https://x/'": "does not let this process in",
    "remote: error: cannot lock ref 'refs/heads/main': Unable to create '/srv/p.git/refs/heads/main.lock': "
    "File exists.\n ! [remote rejected] 1 -> main (failed to update ref)": "has been there",
    "fatal: something new": "something new",
}  # fmt: skip


@pytest.mark.parametrize(("said", "words"), list(SAID.items()))
def test_what_remotes_say_is_understood(said: str, words: str) -> None:
    error = not_pushed(Path("/clone"), REMOTE, "main", said)
    assert words in error.what
    assert error.advice or words == "something new"


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (" ! [rejected]        1234 -> main (stale info)", True),
        (" ! [rejected]        1234 -> main (fetch first)", True),
        (" ! [remote rejected] 1234 -> main (failed to update ref)", True),
        (" ! [remote rejected] 1234 -> main (cannot lock ref 'refs/heads/main': is at 12 but expected 34)", True),
        (" ! [remote rejected] 1234 -> main (protected branch hook declined)", False),
        ("fatal: Could not read from remote repository.", False),
    ],
)
def test_who_was_faster_is_told_from_who_refuses(said: str, expected: bool) -> None:
    assert is_overtaken(said) is expected
