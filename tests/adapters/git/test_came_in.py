"""What came in along the first-parent line: one commit for each merge, squash or push that changed a path."""

from pathlib import Path

import pytest

from reconciler.adapters.git import FolderPackSource, pack_source
from reconciler.ports.pack_source import PackSourceError
from tests.adapters.git.conftest import PACK, Clone

OTHER = "sharepacks/finance team/jährlich Ü.yaml"
TENANTS = "sharepacks/tenants.yaml"


def change(clone: Clone, path: str, words: str) -> str:
    clone.write(path, f"{words}\n")
    return clone.commit(words)


def branch(clone: Clone, *paths: str) -> None:
    """`feature` leaves `main` with a commit for each path."""
    clone.git("switch", "--quiet", "--create", "feature", "main")
    for number, path in enumerate(paths):
        change(clone, path, f"feature {number} of {path}")
    clone.git("switch", "--quiet", "main")


async def came_in(clone: Clone, since: str, *paths: str, until: str = "HEAD") -> list[str]:
    return list(await pack_source(clone.packs).came_in(paths or (PACK,), since, until))


async def test_commits_that_changed_the_path_oldest_first(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    first = change(clone, PACK, "first")
    change(clone, OTHER, "other")
    second = change(clone, PACK, "second")
    assert await came_in(clone, since) == [first, second]
    assert await came_in(clone, first) == [second]
    assert await came_in(clone, second) == []
    assert await came_in(clone, since, until=first) == [first]


async def test_from_the_beginning_the_first_commit_counts(clone: Clone) -> None:
    root = clone.git("rev-parse", "HEAD")
    second = change(clone, PACK, "second")
    assert await came_in(clone, "") == [root, second]
    assert await came_in(clone, "", OTHER) == []


async def test_any_of_several_paths_with_spaces_and_umlauts(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    first = change(clone, OTHER, "other")
    second = change(clone, PACK, "pack")
    third = change(clone, TENANTS, "tenants")
    assert await came_in(clone, since, OTHER) == [first]
    assert await came_in(clone, since, OTHER, TENANTS) == [first, third]
    assert await came_in(clone, since, "sharepacks") == [first, second, third]
    assert await came_in(clone, since, "sharepacks/finance team") == [first]
    assert await came_in(clone, since, "") == [first, second, third]


async def test_without_paths_nothing_came_in(clone: Clone) -> None:
    change(clone, PACK, "second")
    assert list(await pack_source(clone.packs).came_in((), "", "HEAD")) == []


async def test_more_paths_than_fit_on_a_command_line(clone: Clone) -> None:
    root = clone.git("rev-parse", "HEAD")
    many = [f"sharepacks/{'long ' * 30}{number}.yaml" for number in range(20_000)]
    assert await came_in(clone, "", PACK, *many) == [root]


async def test_names_that_would_be_patterns_or_options_are_names(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    change(clone, PACK, "pack")
    odd = {name: change(clone, name, name) for name in ("--all", ":(glob)**", "*.yaml", "^main", "two\nlines.yaml")}
    for name, commit in odd.items():
        assert await came_in(clone, since, name) == [commit]
    assert await came_in(clone, since, *odd) == list(odd.values())


async def test_a_merge_stands_for_all_it_brought(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    branch(clone, PACK, OTHER, PACK)
    direct = change(clone, TENANTS, "meanwhile")
    clone.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    merge = clone.git("rev-parse", "HEAD")
    assert await came_in(clone, since) == [merge]
    assert await came_in(clone, since, OTHER) == [merge]
    assert await came_in(clone, since, OTHER, TENANTS) == [direct, merge]


async def test_a_merge_that_left_the_path_as_it_was_brought_nothing_to_it(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    branch(clone, PACK)
    direct = change(clone, OTHER, "meanwhile")
    clone.git("merge", "--quiet", "--no-ff", "--no-edit", "--strategy=ours", "feature")
    assert await came_in(clone, since, PACK, OTHER) == [direct]


async def test_a_squash_is_one_commit(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    branch(clone, PACK, OTHER)
    clone.git("merge", "--quiet", "--squash", "feature")
    squash = clone.commit("Squashed (#7)")
    assert await came_in(clone, since) == [squash]


async def test_a_rebase_is_each_of_its_commits(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    branch(clone, PACK, OTHER, PACK)
    change(clone, TENANTS, "meanwhile")
    clone.git("cherry-pick", "main..feature")
    line = clone.git("rev-list", "--reverse", f"{since}..HEAD").split()
    assert await came_in(clone, since) == [line[1], line[3]]


async def test_what_undoes_a_change_counts_too(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    first = change(clone, PACK, "first")
    clone.git("revert", "--no-edit", first)
    assert await came_in(clone, since) == [first, clone.git("rev-parse", "HEAD")]


async def test_a_path_that_is_gone_was_changed_by_what_removed_it(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    clone.git("rm", "--quiet", PACK)
    removed = clone.commit("Remove")
    assert await came_in(clone, since) == [removed]


async def test_a_rename_changed_both_names(clone: Clone) -> None:
    since = clone.git("rev-parse", "HEAD")
    (clone.root / OTHER).parent.mkdir(parents=True)
    clone.git("mv", PACK, OTHER)
    renamed = clone.commit("Rename")
    assert await came_in(clone, since, PACK) == [renamed]
    assert await came_in(clone, since, OTHER) == [renamed]


async def test_since_may_lie_beside_the_line(clone: Clone) -> None:
    branch(clone, PACK, PACK)
    beside = clone.git("rev-parse", "feature")
    clone.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    merge = clone.git("rev-parse", "HEAD")
    later = change(clone, PACK, "later")
    assert await came_in(clone, beside) == [merge, later]


async def test_a_merge_right_after_since_counts(clone: Clone) -> None:
    branch(clone, PACK, PACK)
    since = clone.git("rev-parse", "HEAD")
    clone.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    assert await came_in(clone, since) == [clone.git("rev-parse", "HEAD")]


async def test_since_a_commit_without_a_common_past_all_came_in(clone: Clone) -> None:
    root = clone.git("rev-parse", "HEAD")
    clone.git("switch", "--quiet", "--orphan", "other")
    other = change(clone, OTHER, "other")
    assert await came_in(clone, other, until="main") == [root]


async def test_nothing_came_in_to_a_branch_that_was_rewound(clone: Clone) -> None:
    older = clone.git("rev-parse", "HEAD")
    newer = change(clone, PACK, "newer")
    assert await came_in(clone, newer, until=older) == []


async def test_clocks_that_are_wrong_change_nothing(clone: Clone, monkeypatch: pytest.MonkeyPatch) -> None:
    since = clone.git("rev-parse", "HEAD")
    line = []
    for year in (2031, 2003, 2020, 2001, 2030):
        monkeypatch.setenv("GIT_COMMITTER_DATE", f"{year}-01-01T00:00:00Z")
        line.append(change(clone, PACK, f"in {year}"))
    assert await came_in(clone, since) == line
    assert await came_in(clone, line[2]) == line[3:]


async def test_a_commit_that_is_not_there_is_named(clone: Clone) -> None:
    with pytest.raises(PackSourceError, match=r"There is no commit 'ffff.*fetch it"):
        await came_in(clone, "f" * 40)
    with pytest.raises(PackSourceError, match=r"There is no commit '--all'"):
        await came_in(clone, "", until="--all")


async def test_in_a_bare_repository(clone: Clone) -> None:
    root = clone.git("rev-parse", "HEAD")
    bare = clone.clone("bare.git", "--bare")
    assert list(await pack_source(bare.packs).came_in([PACK], "", "main")) == [root]


@pytest.fixture
def origin(clone: Clone) -> list[str]:
    """The first-parent line; every commit of it changed the pack, the third from the end by a merge."""
    change(clone, PACK, "second")
    branch(clone, PACK, OTHER)
    clone.git("merge", "--quiet", "--no-ff", "--no-edit", "feature")
    change(clone, PACK, "fourth")
    change(clone, PACK, "fifth")
    return clone.git("rev-list", "--first-parent", "--reverse", "HEAD").split()


TOO_SHALLOW = r"(?s)shallow.*`fetch-depth: 0`.*`git fetch --unshallow`"


async def test_a_shallow_clone_tells_what_it_can_and_refuses_the_rest(clone: Clone, origin: list[str]) -> None:
    shallow = clone.clone("shallow", "--depth", "3")
    assert await came_in(shallow, origin[3]) == origin[4:]
    assert await came_in(shallow, origin[2]) == origin[3:]
    for since in (origin[1], origin[0], ""):
        with pytest.raises(PackSourceError, match=TOO_SHALLOW):
            await came_in(shallow, since)
        with pytest.raises(PackSourceError, match=TOO_SHALLOW):
            await came_in(shallow, since, "sharepacks/never there.yaml")
    shallow.git("fetch", "--quiet", "--unshallow")
    assert await came_in(shallow, origin[1]) == origin[2:]
    assert await came_in(shallow, "") == origin


async def test_in_a_shallow_clone_what_lies_beside_the_line_cannot_be_told(clone: Clone, origin: list[str]) -> None:
    beside = clone.git("rev-parse", "feature")
    shallow = clone.clone("shallow", "--depth", "4")
    assert shallow.git("cat-file", "-t", beside) == "commit"
    with pytest.raises(PackSourceError, match=TOO_SHALLOW):
        await came_in(shallow, beside)
    assert await came_in(clone, beside) == origin[2:]


async def test_a_clone_without_file_contents_is_enough(clone: Clone, origin: list[str]) -> None:
    partial = clone.clone("partial", "--filter=blob:none", "--no-checkout")
    assert await came_in(partial, origin[0]) == origin[1:]


async def test_a_clone_without_folders_says_how_to_get_them(clone: Clone, origin: list[str]) -> None:
    partial = clone.clone("partial", "--filter=tree:0", "--no-checkout")
    with pytest.raises(PackSourceError, match=r"git fetch --refetch --no-filter"):
        await came_in(partial, origin[0])
    partial.git("fetch", "--quiet", "--refetch", "--no-filter")
    assert await came_in(partial, origin[0]) == origin[1:]


async def test_a_folder_outside_git_says_so(tmp_path: Path) -> None:
    with pytest.raises(PackSourceError, match=r"is not in a Git repository, so .*`git init`"):
        await FolderPackSource(tmp_path).came_in([PACK], "", "HEAD")
