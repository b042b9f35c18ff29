"""A commit that does not touch what a branch was read from leaves what the branch does as it was."""

import asyncio
from collections.abc import Mapping

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from reconciler.stages.propose import Branch, branch
from reconciler.stages.reach import Moved, moved_between
from tests.drawing import examples
from tests.stages.commits import Commits, InMemory, Record, known
from tests.stages.test_partly import TENANTS, TODAY, WORKSPACE, edits, looked_at, on_record, pack, path, planned, tidy

Files = Mapping[str, bytes]
RECORDED = on_record([("r1", 1), ("s2", 2), ("gone", 3)])


async def read(before: Files, after: Files, record: Record | None = None) -> Branch:
    """As a whole without a record."""
    source = Commits({"before": before, "after": after})
    seen = None if record is None else known(InMemory(), record)
    return await branch(source, WORKSPACE, "main", "after", TODAY, seen)  # type: ignore[arg-type]


async def moved(before: Files, after: Files) -> Moved | None:
    return await moved_between(Commits({"before": before, "after": after}), "before", "after")  # type: ignore[arg-type]


def merged(base: Files, one: Files, other: Files) -> Files | None:
    """As Git would, but a file is one line; None where both changed it otherwise."""
    paths = {path for side in (one, other) for path, _ in base.items() ^ side.items()}
    ours, theirs = ({each for each, _ in base.items() ^ side.items()} for side in (one, other))
    if any(one.get(each) != other.get(each) for each in ours & theirs):
        return None
    kept = {each: data for each, data in base.items() if each not in paths}
    for side, changed in ((one, ours), (other, theirs)):
        kept |= {each: side[each] for each in changed if each in side}
    return kept


@given(st.data())
@settings(max_examples=examples(60, 1500), deadline=None)
def test_what_is_not_touched_does_after_the_commit_what_it_did_before(data: st.DataObject) -> None:
    base = tidy(borrows=data.draw(st.booleans()))
    mine, theirs = data.draw(edits(base)), data.draw(edits(base))
    both = merged(base, mine, theirs)
    found = asyncio.run(read(base, mine, Record(RECORDED)))
    change = asyncio.run(moved(base, theirs))
    if both is None or found.reach is None or change is None or found.reach.is_touched(change):
        event("shown again")
        return
    later = asyncio.run(read(theirs, both))
    if later.before.broken or any(problem.is_error for problem in later.before.problems):
        event("the commit is broken")
        return
    event("left alone")
    about = ("changed", "moved", "problems", "packs", "before")
    assert {each: looked_at(found)[each] for each in about} == {each: looked_at(later)[each] for each in about}
    assert planned(found, RECORDED).plan.packs == planned(later, RECORDED).plan.packs


ALONE = tidy(borrows=False)
LENT = {path(0): pack(0).encode(), path(1): pack(1, readers=("r0",)).encode(), path(2): pack(2).encode()}
ADDS = {**ALONE, path(7): pack(7).encode()}
TOUCHING = {
    "the same file": (ALONE, ALONE | {path(7): pack(7, comment="y").encode()}),
    "the same share": (ALONE, ALONE | {path(8): pack(8, share="S7").encode()}),
    "the same recipient": (ALONE, ALONE | {path(8): pack(8, recipient="R7").encode()}),
    "the same project": (ALONE, ALONE | {path(8): pack(8, project="p7").encode()}),
    "it lets go of the share": (ALONE, ALONE | {path(8): pack(8, more="release: [share/s7]\n").encode()}),
    "the tenants": (ALONE, ALONE | {TENANTS: b"tenants: {Sales: {}}\n"}),
    "nobody can read it": (ALONE, ALONE | {path(8): b"metadata: [\n"}),
    "it may be about anybody": (ALONE, ALONE | {path(8): pack(8, readers=("-",), objects="[c.s]").encode()}),
}


@pytest.mark.parametrize(("before", "after"), TOUCHING.values(), ids=TOUCHING.keys())
def test_a_commit_that_may_have_to_do_with_it_is_seen(before: Files, after: Files) -> None:
    reach, change = asyncio.run(read(before, ADDS, Record())).reach, asyncio.run(moved(before, after))
    assert reach is not None
    assert change is None or reach.is_touched(change)


def test_who_lends_a_recipient_is_part_of_it() -> None:
    reach = asyncio.run(read(LENT, LENT | {path(1): LENT[path(1)].replace(b"'x", b"'xx")}, Record())).reach
    assert reach is not None
    lender = asyncio.run(moved(LENT, LENT | {path(0): LENT[path(0)].replace(b"'x", b"'xx")}))
    other = asyncio.run(moved(LENT, LENT | {path(2): LENT[path(2)].replace(b"'x", b"'xx")}))
    assert lender is not None
    assert other is not None
    assert (reach.is_touched(lender), reach.is_touched(other)) == (True, False)


def test_very_many_files_are_not_looked_into() -> None:
    many = {path(n, "many"): pack(n).encode() for n in range(501)}
    assert asyncio.run(moved(ALONE, {**ALONE, **many})) is None
