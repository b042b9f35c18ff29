"""What Git attests is the same whether an older commit is read as a whole or only what has to do with the removal."""

import asyncio
from collections.abc import Collection, Mapping
from dataclasses import replace

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from reconciler.core.guard import Attestation
from reconciler.core.key import Key, PackId, share_key
from reconciler.core.recorded import PackStatus, Recorded, RecordedPack, RecordedState
from reconciler.core.share import Share, SharedObject
from reconciler.ports.pack_source import Ancestry
from reconciler.stages.attest import Known, attest
from reconciler.stages.propose import branch
from reconciler.stages.read import read_commit
from tests.drawing import examples
from tests.stages.commits import FOLDER, Commits, InMemory, Record, known
from tests.stages.test_partly import NUMBERS, TODAY, WORKSPACE, edits, pack, path, tidy

Files = Mapping[str, bytes]
Found = Mapping[PackId, Attestation]


class Line(Commits):
    """Commits of which each descends from those before it."""

    async def descends_from_all(self, older: Collection[str], newer: str) -> bool:
        return True

    async def ancestry(self, older: str, newer: str) -> Ancestry:
        return Ancestry.DESCENDS


async def declared(source: Line, commit: str) -> dict[Key, PackId]:
    desired = await read_commit(source, WORKSPACE, commit)  # type: ignore[arg-type]
    return {key: each.id for each in desired.packs.values() for key in each.resources}


async def on_record(source: Line, own: str) -> RecordedState:
    """All that two older commits declare, and something that neither did; the packs submitted last from `own`."""
    rows: dict[Key, tuple[PackId, str]] = {}
    for commit in ("oldest", "before"):
        rows |= {key: (owner, commit) for key, owner in (await declared(source, commit)).items() if key not in rows}
    rows[share_key("never", WORKSPACE)] = (PackId.of("Sales", "P1"), "before")
    item = Share("x", objects=frozenset({SharedObject("c.s.t"), SharedObject("c.s.gone")}), recipients=frozenset())
    resources = {
        key: Recorded(replace(item, name=key.name), owner, 1, commit)
        for key, (owner, commit) in rows.items()
        if key.kind is share_key("x", WORKSPACE).kind
    }
    packs = {
        owner: RecordedPack(owner, str(owner), "", WORKSPACE, PackStatus.COMPLETED, own) for owner, _ in rows.values()
    }
    return RecordedState(resources, packs=packs)


async def both(
    source: Line, snapshots: InMemory, own: str = "before", *, is_branch: bool = False
) -> tuple[Found, Found, int]:
    """In part and as a whole, and how many commits were read as a whole for the first. With `is_branch`, what the
    branch was read from is known too."""
    recorded = await on_record(source, own)
    left = None
    if is_branch:
        left = (await branch(source, WORKSPACE, "main", "after", TODAY, known(snapshots, Record(recorded)))).left  # type: ignore[arg-type]
        event("the branch was read in part" if left else "the branch was read as a whole")
    desired = await read_commit(source, WORKSPACE, "after")  # type: ignore[arg-type]
    scope = [*recorded.packs]
    source.whole = 0
    source.asked.clear()
    kept = Known(snapshots, TODAY, left)
    part = await attest(source, desired, scope, recorded, kept)  # type: ignore[arg-type]
    read = source.whole
    return part, await attest(source, desired, scope, recorded), read  # type: ignore[arg-type]


def kept_of(files: Files) -> InMemory:
    snapshots, source = InMemory(), Commits({"before": files, "after": files})
    asyncio.run(branch(source, WORKSPACE, "main", "after", TODAY, known(snapshots, Record())))  # type: ignore[arg-type]
    return snapshots


@st.composite
def takings(draw: st.DrawFn, files: Files) -> dict[str, bytes]:
    """Some packs go, move, or have another share."""
    now = dict(files)
    for number in draw(st.sets(st.sampled_from(NUMBERS), min_size=1, max_size=3)):
        place, other = path(number), path(number, "moved")
        match draw(st.sampled_from(["remove", "remove", "move", "another", "hand over"])):
            case "move" if place in now:
                now[other] = now.pop(place)
            case "another":
                now[place] = pack(number, share=f"new{number}").encode()
            case "hand over" if now.pop(place, None):
                now[other] = pack(number + 10, share=f"S{number}").encode()
            case _:
                now.pop(place, None)
    return now


@given(st.data())
@settings(max_examples=examples(60, 1500), deadline=None)
def test_both_ways_attest_the_same(data: st.DataObject) -> None:
    first = tidy(borrows=data.draw(st.integers(0, 3)) == 0)
    before = data.draw(st.one_of(st.just(first), edits(first), takings(first)))
    after = data.draw(st.one_of(takings(before), takings(before), edits(before)))
    snapshots = kept_of(data.draw(st.sampled_from([first, before])))
    source = Line({"oldest": first, "before": before, "after": after})
    own = data.draw(st.sampled_from(["oldest", "before"]))
    part, whole, read = asyncio.run(both(source, snapshots, own, is_branch=data.draw(st.booleans())))
    event(f"{read} commits as a whole")
    event("something is attested" if any(each.removed for each in whole.values()) else "nothing is attested")
    assert part == whole


ALONE = tidy(borrows=False)
GONE = {each: data for each, data in ALONE.items() if each != path(2)}
S2 = share_key("s2", WORKSPACE)
P2 = PackId.of("Sales", "P2")
SCENES: dict[str, tuple[Files, bool]] = {
    "its file is gone": (GONE, True),
    "its file is another share's now": (ALONE | {path(2): pack(2, share="new").encode()}, True),
    "it moved to another file": (GONE | {path(7, "b"): ALONE[path(2)]}, False),
    "it went to another pack": (GONE | {path(7): pack(7, share="S2").encode()}, False),
    "its pack has another name now": (GONE | {path(2): pack(2, project="Other").encode()}, False),
    "it was renamed": (ALONE | {path(2): pack(2, share="new", old_names=("", "s2")).encode()}, True),
    "its file is broken": (ALONE | {path(2): b"metadata: [\n"}, False),
    "another of its line is broken": (GONE | {path(3): b"metadata: {business_line: Sales}\n"}, False),
}


@pytest.mark.parametrize(("after", "is_attested"), SCENES.values(), ids=SCENES.keys())
def test_what_became_of_a_share(after: Files, *, is_attested: bool) -> None:
    source = Line({"oldest": ALONE, "before": ALONE, "after": after})
    part, whole, _ = asyncio.run(both(source, kept_of(ALONE)))
    assert part == whole
    assert (S2 in part[P2].removed) is is_attested


def test_what_was_wrong_then_is_not_attested_by_the_part_that_was_right() -> None:
    """Two packs that claimed one share: that of the older commit has no owner."""
    before = ALONE | {path(7): pack(7, share="S2").encode()}
    source = Line({"oldest": before, "before": before, "after": GONE})
    part, whole, read = asyncio.run(both(source, kept_of(ALONE)))
    assert part == whole
    assert read == 2
    assert all(S2 not in each.removed for each in part.values())


def test_of_the_older_commit_only_what_the_removal_has_to_do_with_is_read() -> None:
    more = {path(n, "many"): pack(n).encode() for n in range(10, 60)}
    source = Line({"oldest": ALONE | more, "before": ALONE | more, "after": GONE | more})
    recorded = asyncio.run(on_record(source, "before"))
    desired = asyncio.run(read_commit(source, WORKSPACE, "after"))  # type: ignore[arg-type]
    snapshots = kept_of(ALONE | more)
    source.whole = 0
    rows = {S2: recorded.resources[S2]}
    recorded = RecordedState(rows, packs={P2: recorded.packs[P2]})
    kept = Known(snapshots, TODAY)
    found = asyncio.run(attest(source, desired, [P2], recorded, kept))  # type: ignore[arg-type]
    assert found[P2].removed == {S2}
    assert source.whole == 0
    assert set(source.asked) == {path(2), f"{FOLDER}/tenants.yaml"}
    assert len(NUMBERS) + 50 > len(source.asked)


def test_what_the_branch_was_read_from_is_not_read_again() -> None:
    source = Line({"before": ALONE, "after": GONE})
    recorded = asyncio.run(on_record(Line({"oldest": ALONE, "before": ALONE}), "before"))
    snapshots = kept_of(ALONE)
    found = asyncio.run(branch(source, WORKSPACE, "main", "after", TODAY, known(snapshots, Record(recorded))))  # type: ignore[arg-type]
    rows = {S2: replace(recorded.resources[S2], commit="before")}
    recorded = RecordedState(rows, packs={P2: recorded.packs[P2]})
    source.asked.clear()
    kept = Known(snapshots, TODAY, found.left)
    attested = asyncio.run(attest(source, found.after, [P2], recorded, kept))  # type: ignore[arg-type]
    assert found.left is not None
    assert attested[P2].removed == {S2}
    assert (source.whole, source.asked) == (0, [])
