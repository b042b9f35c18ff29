"""How two commits stand to each other, and what a clone that is not whole says instead of an answer."""

import pytest

from reconciler.adapters.git import pack_source
from reconciler.ports.pack_source import Ancestry, PackSourceError
from tests.adapters.git.conftest import Clone


@pytest.fixture
def line(clone: Clone) -> tuple[str, str, str]:
    """Three commits, each the parent of the next."""
    return clone.git("rev-parse", "HEAD"), clone.commit("Second"), clone.commit("Third")


async def test_who_descends_from_whom(clone: Clone, line: tuple[str, str, str]) -> None:
    first, second, third = line
    clone.git("checkout", "--quiet", "-b", "side", first)
    side = clone.commit("Side")
    source = pack_source(clone.packs)
    assert await source.ancestry(first, third) is Ancestry.DESCENDS
    assert await source.ancestry(first, first) is Ancestry.DESCENDS
    assert await source.ancestry(third, second) is Ancestry.REWOUND
    assert await source.ancestry(side, third) is Ancestry.DIVERGED


async def test_many_commits_on_record_are_asked_about_in_one_go(clone: Clone, line: tuple[str, str, str]) -> None:
    first, second, third = line
    clone.git("checkout", "--quiet", "-b", "side", first)
    side = clone.commit("Side")
    source = pack_source(clone.packs)
    assert await source.descends_from_all([first, second, third], third)
    assert await source.descends_from_all([], third)
    for also in (side, third, "0" * 40, "", "--all", "main"):
        assert not await source.descends_from_all([first, also], second)
    assert not await source.descends_from_all([first], "HEAD")


@pytest.mark.parametrize("content", [b"garbage", None], ids=["corrupt", "missing"])
async def test_asked_in_one_go_a_damaged_history_says_no(
    clone: Clone, line: tuple[str, str, str], content: bytes | None
) -> None:
    first, second, third = line
    clone.damage(second, content)
    assert not await pack_source(clone.packs).descends_from_all([first], third)


async def test_asked_in_one_go_a_shallow_clone_says_yes_only_to_what_it_reaches(
    clone: Clone, line: tuple[str, str, str]
) -> None:
    first, second, third = line
    shallow = clone.clone("shallow", "--depth", "2")
    source = pack_source(shallow.packs)
    assert await source.descends_from_all([second], third)
    assert not await source.descends_from_all([first, second], third)
    shallow.git("fetch", "--quiet", "--depth", "1", "origin", first)
    assert not await source.descends_from_all([first], third)


async def test_histories_without_a_common_commit_are_unrelated(clone: Clone, line: tuple[str, str, str]) -> None:
    clone.git("checkout", "--quiet", "--orphan", "other")
    other = clone.commit("Another beginning")
    assert await pack_source(clone.packs).ancestry(line[2], other) is Ancestry.UNRELATED
    clone.git("merge", "--quiet", "-s", "ours", "--allow-unrelated-histories", "-m", "Meant", line[2])
    assert await pack_source(clone.packs).ancestry(line[2], "HEAD") is Ancestry.DESCENDS


@pytest.mark.parametrize("unknown", ["", "0" * 40, "--all", "no such"])
async def test_what_is_no_commit_here_is_unknown_or_an_error(clone: Clone, unknown: str) -> None:
    source = pack_source(clone.packs)
    assert await source.ancestry(unknown, "HEAD") is Ancestry.UNKNOWN
    with pytest.raises(PackSourceError, match="There is no commit"):
        await source.ancestry("HEAD", unknown)


async def test_another_repository_does_not_know_the_commit(clone: Clone, line: tuple[str, str, str]) -> None:
    clone.git("checkout", "--quiet", "--orphan", "other")
    other = clone.commit("Another beginning")
    elsewhere = clone.clone("elsewhere", "--single-branch", "--branch", "other")
    assert await pack_source(elsewhere.packs).ancestry(line[2], other) is Ancestry.UNKNOWN


async def test_a_shallow_clone_is_cut_off_until_its_history_is_fetched(
    clone: Clone, line: tuple[str, str, str]
) -> None:
    first, _, third = line
    shallow = clone.clone("shallow", "--depth", "1")
    source = pack_source(shallow.packs)
    assert await source.ancestry(first, third) is Ancestry.CUT_OFF
    shallow.git("fetch", "--quiet", "--depth", "1", "origin", first)
    assert shallow.git("cat-file", "-t", first) == "commit"
    assert await source.ancestry(first, third) is Ancestry.CUT_OFF
    assert await source.ancestry(third, third) is Ancestry.DESCENDS
    shallow.git("fetch", "--quiet", "--unshallow")
    assert await source.ancestry(first, third) is Ancestry.DESCENDS


async def test_a_shallow_clone_that_reaches_back_far_enough_can_tell(clone: Clone, line: tuple[str, str, str]) -> None:
    _, second, third = line
    source = pack_source(clone.clone("shallow", "--depth", "2").packs)
    assert await source.ancestry(second, third) is Ancestry.DESCENDS


@pytest.mark.parametrize("content", [b"garbage", b"", None], ids=["corrupt", "empty", "missing"])
async def test_a_damaged_commit_in_between_is_an_error_and_no_answer(
    clone: Clone, line: tuple[str, str, str], content: bytes | None
) -> None:
    first, second, third = line
    clone.damage(second, content)
    with pytest.raises(PackSourceError, match=r"git fsck.*clone it again"):
        await pack_source(clone.packs).ancestry(first, third)


@pytest.mark.parametrize("content", [b"garbage", b""], ids=["corrupt", "empty"])
async def test_a_damaged_commit_on_record_is_not_called_unknown(
    clone: Clone, line: tuple[str, str, str], content: bytes
) -> None:
    first, _, third = line
    clone.damage(first, content)
    with pytest.raises(PackSourceError, match=f"{first[2:]}.*git fsck"):
        await pack_source(clone.packs).ancestry(first, third)


async def test_parents_written_by_hand_make_nobody_a_descendant(clone: Clone, line: tuple[str, str, str]) -> None:
    first, _, third = line
    clone.git("checkout", "--quiet", "-b", "side", first)
    side = clone.commit("Side")
    clone.write(".git/info/grafts", f"{side} {third}\n")
    assert clone.git("merge-base", third, side) == third
    assert await pack_source(clone.packs).ancestry(third, side) is Ancestry.DIVERGED


async def test_a_replaced_commit_makes_nobody_a_descendant(clone: Clone, line: tuple[str, str, str]) -> None:
    first, _, third = line
    forged = clone.git("commit-tree", "-p", third, "-m", "Forged", f"{first}^{{tree}}")
    clone.git("replace", first, forged)
    assert await pack_source(clone.packs).ancestry(third, first) is Ancestry.REWOUND
