"""Killed between any two commands of git, in the middle of a push, and many at once: nothing half-done, nothing lost,
nothing twice, and nobody is held up."""

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest

from reconciler.adapters.git.storing import GitPackStore
from reconciler.ports.pack_store import Put
from tests.adapters.git.conftest import PACK, Clone
from tests.adapters.git.remotes import Server, serve
from tests.adapters.git.storing_process import FIRST

#: What leaves something behind; between two that only look, nothing differs.
WRITING = {"fetch", "hash-object", "read-tree", "update-index", "write-tree", "commit-tree", "update-ref", "push"}
#: What others can see; after any other command it is as before the next one.
MOVING = {"fetch", "update-index", "update-ref", "push"}
SECOND = Put({"sharepacks/q2.yaml": b"three\n"}, "Second", "Ada <a@x>")
PROGRAM = "tests.adapters.git.storing_process"
TOP = Path(__file__).parents[3]

WRAPPER = """#!/bin/sh
PATH="{path}"
n=$(($(cat "$KILL_COUNT") + 1))
echo $n > "$KILL_COUNT"
echo "$*" >> "$KILL_COUNT.log"
[ "$n" = "$KILL_AT" ] || exec git "$@"
[ "$KILL_MODE" = after ] && git "$@"
kill -9 $PPID
exit 1
"""


@contextmanager
def process(folder: Path, *arguments: str, path: str | None = None) -> Iterator["subprocess.Popen[str]"]:
    surroundings = os.environ | {"TMPDIR": str(folder)} | ({"PATH": path} if path else {})
    command = [sys.executable, "-m", PROGRAM, *arguments]
    started = subprocess.Popen(
        command, cwd=TOP, env=surroundings, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    try:
        yield started
    finally:
        started.kill()
        started.communicate()


def wrapped(folder: Path) -> str:
    place = folder / "bin"
    place.mkdir()
    (place / "git").write_text(WRAPPER.replace("{path}", os.environ["PATH"]))
    (place / "git").chmod(0o755)
    return f"{place}:{os.environ['PATH']}"


def ask(killer: "subprocess.Popen[str]", clone: Clone, number: int, mode: str) -> int:
    assert killer.stdin is not None
    assert killer.stdout is not None
    killer.stdin.write(f"{clone.root} {number} {mode}\n")
    killer.stdin.flush()
    return int(killer.stdout.readline())


def commands(clone: Clone) -> Sequence[str]:
    """The subcommands of git that were run."""
    lines = Path(f"{clone.root}.count.log").read_text().splitlines()
    return [next((word for word in line.split() if word in WRITING), "") for line in lines]


def copied(scene: Path, name: str) -> Path:
    """The clone and its remote, whose URL is relative to it."""
    place = scene.parent / name
    shutil.copytree(scene, place, symlinks=True)
    return place


def locks(folder: Path) -> list[Path]:
    return list(folder.rglob("*.lock"))


def check(scene: Path, repository: Clone, commits: int) -> None:
    assert locks(scene) == []
    assert repository.git("rev-list", "--merges", "main") == ""
    assert repository.git("log", "--reverse", "--format=%s", "main").splitlines()[-2:] == ["First", "Second"]
    assert int(repository.git("rev-list", "--count", "main")) == commits + 2
    assert repository.git("show", f"main:{PACK}") == "two"
    assert repository.git("show", "main:sharepacks/q2.yaml") == "three"
    assert repository.git("fsck", "--no-dangling") == ""


@pytest.mark.parametrize("has_remote", [True, False])
async def test_killed_anywhere_the_next_put_mends_it(tmp_path: Path, has_remote: bool) -> None:
    scene = tmp_path / "scene 0"
    scene.mkdir()
    server = serve(scene)
    mine = server.clone("mine")
    mine.git("remote", "set-url", "origin", "../server.git")
    if not has_remote:
        mine.git("remote", "remove", "origin")
    shutil.rmtree(server.author.root)
    with process(tmp_path, "points", path=wrapped(tmp_path)) as killer:
        whole = Clone(copied(scene, "whole") / "mine")
        assert ask(killer, whole, 0, "never") == 0
        run = commands(whole)
        assert WRITING - {"fetch", "push", "read-tree"} <= set(run) | {"update-ref"}
        points = [(at, "before") for at, name in enumerate(run, 1) if name]
        points += [(at, "after") for at, name in enumerate(run, 1) if name in MOVING]
        assert len(points) >= 10
        for at, mode in points:
            here = copied(scene, f"{at} {mode}")
            clone = Clone(here / "mine")
            assert ask(killer, clone, at, mode) == -signal.SIGKILL
            store = GitPackStore(clone.packs)
            first, second = await store.put(FIRST), await store.put(SECOND)
            assert not (await store.put(FIRST)).is_new
            target = Clone(here / "server.git") if has_remote else clone
            check(here, target, commits=1)
            assert target.git("rev-parse", "main", "main^") == f"{second.commit}\n{first.commit}"
            assert clone.git("status", "--porcelain") == ""
            shutil.rmtree(here)


@pytest.fixture
def server(tmp_path: Path) -> Server:
    return serve(tmp_path)


@pytest.mark.parametrize("is_shared", [True, False], ids=["in one clone", "in a clone each"])
def test_four_processes_put_many_files(server: Server, tmp_path: Path, is_shared: bool) -> None:
    clones = [server.clone("shared")] * 4 if is_shared else [server.clone(f"clone {each}") for each in range(4)]
    count = 25 if is_shared else 5
    before = int(server.bare.git("rev-list", "--count", "main"))
    running = [
        subprocess.Popen(
            [sys.executable, "-m", PROGRAM, "many", str(each.packs), str(count * at), str(count)],
            cwd=TOP, stdout=subprocess.PIPE, text=True,
        )
        for at, each in enumerate(clones)
    ]  # fmt: skip
    told = [each.communicate()[0] for each in running]
    assert [each.returncode for each in running] == [0] * 4
    line = server.bare.git("rev-list", "main").splitlines()
    assert server.bare.git("rev-list", "--merges", "main") == ""
    assert len(line) == before + 4 * count
    assert {commit for words in told for commit in words.split()} == set(line[: 4 * count])
    listed = server.bare.git("ls-tree", "-r", "--name-only", "main").splitlines()
    assert set(listed) == {PACK, *(f"sharepacks/n {number}.yaml" for number in range(4 * count))}
    assert server.bare.git("fsck", "--no-dangling") == ""
    assert locks(tmp_path) == []


async def test_twenty_of_the_same_are_one_commit(server: Server) -> None:
    before = int(server.bare.git("rev-list", "--count", "main"))
    stores = [GitPackStore(server.clone(name).packs) for name in ("one", "two")]
    stored = await asyncio.gather(*(stores[number % 2].put(SECOND) for number in range(20)))
    assert int(server.bare.git("rev-list", "--count", "main")) == before + 1
    assert {each.commit for each in stored} == {server.bare.git("rev-parse", "main")}
    # Two clones that make it in the same second make the very same commit, and each has pushed it.
    assert 1 <= sum(each.is_new for each in stored) <= len(stores)


async def test_many_at_once_are_pushed_together(server: Server) -> None:
    """And one that cannot be written holds up none of the others."""
    mine = server.clone("mine")
    store = GitPackStore(mine.packs)
    puts = [Put({f"sharepacks/{number}.yaml": b"x"}, str(number), "rita") for number in range(40)]
    wrong = Put({f"{PACK}/below.yaml": b"x"}, "in the way", "rita")
    other = store.put(SECOND, "proposal")
    stored = await asyncio.gather(*map(store.put, puts), store.put(wrong), other, return_exceptions=True)
    assert [type(each).__name__ for each in stored] == ["Stored"] * 40 + ["PackStoreError", "Stored"]
    assert "'sharepacks/sales/q1.yaml' is a file" in str(stored[40])
    subjects = server.bare.git("log", "--format=%s", "main").splitlines()
    assert sorted(subjects[:-1], key=int) == [str(number) for number in range(40)]
    assert len(mine.git("reflog", "show", "--format=%gs", "origin/main").splitlines()) <= 6


async def test_of_those_pushed_together_only_the_one_that_is_turned_away_fails(server: Server) -> None:
    hook = server.bare.root / "hooks/update"
    hook.write_text(
        '#!/bin/sh\ngit diff --name-only "$2" "$3" | grep -q secret && echo no secrets >&2 && exit 1\nexit 0\n'
    )
    hook.chmod(0o755)
    store = GitPackStore(server.clone("mine").packs)
    puts = [Put({f"sharepacks/{name}.yaml": b"x"}, name, "rita") for name in ("a", "b", "secret", "c")]
    stored = await asyncio.gather(*map(store.put, puts), return_exceptions=True)
    assert [type(each).__name__ for each in stored] == ["Stored", "Stored", "PackStoreError", "Stored"]
    assert "hook declined" in str(stored[2])
    assert "secret" not in server.bare.git("ls-tree", "-r", "--name-only", "main")


async def test_another_person_pushes_meanwhile(server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Just before each of the first three pushes."""
    mine = server.clone("mine")
    script = tmp_path / "push.sh"
    left = tmp_path / "left"
    left.write_text("...")
    script.write_text(
        f'#!/bin/sh\ncase "$*" in *" push "*) if [ -s "{left}" ]; then\n'
        f'PATH="{os.environ["PATH"]}"; truncate -s -1 "{left}"; (cd "{server.author.root}" && git commit --quiet '
        f"--allow-empty -m theirs && git push --quiet origin HEAD:main) || exit 9\nfi;; esac\n"
        f'PATH="{os.environ["PATH"]}" exec git "$@"\n'
    )
    bin_ = tmp_path / "bin"
    bin_.mkdir()
    script.rename(bin_ / "git")
    (bin_ / "git").chmod(0o755)
    monkeypatch.setenv("PATH", f"{bin_}:{os.environ['PATH']}")
    stored = await GitPackStore(mine.packs).put(SECOND)
    assert stored.is_new
    assert server.bare.git("log", "--format=%s", "main").splitlines()[:4] == ["Second", "theirs", "theirs", "theirs"]
    assert mine.git("rev-parse", "origin/main") == stored.commit


async def test_a_push_whose_answer_is_lost_has_arrived(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    mine = server.clone("mine")
    program = tmp_path / "bin/git"
    program.parent.mkdir()
    program.write_text(
        f'#!/bin/sh\nPATH="{os.environ["PATH"]}"\ncase "$*" in *" push "*) git "$@" && git -C "{mine.root}" update-ref '
        'refs/remotes/origin/main main; echo "fatal: the remote end hung up unexpectedly" >&2; exit 128;; esac\n'
        'exec git "$@"\n'
    )
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{program.parent}:{os.environ['PATH']}")
    stored = await GitPackStore(mine.packs).put(SECOND)
    assert stored.is_new
    assert server.bare.git("rev-parse", "main") == stored.commit == mine.git("rev-parse", "origin/main")
