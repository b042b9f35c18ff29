"""What a branch changes, read in part: the same as when both commits are read as a whole, whatever the edits are."""

import asyncio
from collections.abc import Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
from hypothesis import event, given, settings
from hypothesis import strategies as st

from reconciler.core.actual import Absent, Found
from reconciler.core.guard import Attestation
from reconciler.core.key import Key, Kind, PackId
from reconciler.core.planning import keys_in_scope, make_plan
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import PackStatus, Recorded, RecordedPack, RecordedState
from reconciler.core.share import Share, SharedObject
from reconciler.core.steps import World
from reconciler.packs.across import LIMITS
from reconciler.packs.parsing import ParsedFile, parse_file
from reconciler.packs.remembering import RememberedFiles
from reconciler.stages.propose import Branch, branch
from reconciler.stages.read import read_commit
from tests.drawing import examples
from tests.stages.commits import FOLDER, Commits, InMemory, Record, known

TODAY = date(2027, 5, 1)
WORKSPACE = "https://adb-1.1.azuredatabricks.net"
TENANTS = f"{FOLDER}/tenants.yaml"
NUMBERS = range(6)


def pack(
    number: int,
    *,
    line: str = "Sales",
    project: str = "",
    recipient: str = "",
    share: str = "",
    readers: tuple[str, ...] = (),
    more: str = "",
    old_names: tuple[str, str] = ("", ""),
    metastore: str = "",
    objects: str = "[c.s.t]",
    comment: str = "",
) -> str:
    kind = f"type: D2D, metastore_id: 'aws:us-1:{metastore}'" if metastore else "type: D2O, email: a@b.example"
    renamed = [f", renamed_from: {name}" if name else "" for name in old_names]
    named = f"[{', '.join(readers)}]" if readers else "[]"
    readers_line = "" if readers == ("-",) else f"recipients: {named}, "
    return (
        f"metadata: {{requestor: a@b.example, project_name: '{project or f'P{number}'}', business_line: {line}}}\n"
        f"recipient: [{{name: {recipient or f'r{number}'}, {kind}, comment: 'x{comment}'{renamed[0]}}}]\n"
        f"share: [{{name: {share or f's{number}'}, {readers_line}data_objects: {objects}{renamed[1]}}}]\n{more}"
    )


def path(number: int, folder: str = "a") -> str:
    return f"{FOLDER}/{folder}/f{number}.yaml"


def tidy(*, borrows: bool = True) -> dict[str, bytes]:
    """Packs that go together; each but the first reads through a recipient of the one before it."""
    files = {path(n): pack(n, readers=(f"r{n - 1}",) if borrows and n else (f"r{n}",)).encode() for n in NUMBERS}
    tenants = "tenants: {Sales: {lends_recipients_to: [Legal]}, Legal: {}}\n"
    return {**files, TENANTS: tenants.encode(), f"{FOLDER}/a/n.py": b"# notebook\n"}


NAMES = st.sampled_from(["", "", "", "r0", "r1", "r2", "R3", "new"])
SHARES = st.sampled_from(["", "", "", "s0", "s1", "S2", "new"])
MORE = st.sampled_from(
    [
        *[""] * 6,
        "release: [share/s0]\n",
        "release: [recipient/r1]\n",
        "release: [share/gone]\n",
        "allow: [{action: 'replace:recipient/r2', until: 2027-06-01, reason: so}]\n",
        "allow: [{action: 'delete:share/s1', until: 2020-01-01, reason: so}]\n",
        "allow: [{action: 'delete:share/s1', until: 2099-01-01, reason: so}]\n",
    ]
)
OBJECTS = st.sampled_from(
    [
        "[c.s.t]",
        "[c.s.t, c.s.u]",
        "[c.s]",
        "[{name: n, type: NOTEBOOK_FILE, content: n.py}]",
        "[{name: n, type: NOTEBOOK_FILE, content: m.py}]",
    ]
)
READERS = st.sampled_from([(), ("r0",), ("r1",), ("r2", "r3"), ("new",), ("nobody",), ("-",)])
PACKS = st.builds(
    pack,
    st.sampled_from(NUMBERS),
    line=st.sampled_from(["Sales", "Sales", "Sales", "sales", "Legal", "Nowhere"]),
    project=st.sampled_from(["", "", "", "P1", "p2"]),
    recipient=NAMES,
    share=SHARES,
    readers=READERS,
    more=MORE,
    old_names=st.tuples(st.sampled_from(["", "", "", "r1", "old"]), st.sampled_from(["", "", "", "s1", "old"])),
    metastore=st.sampled_from(["", "", "m1", "m2"]),
    objects=OBJECTS,
    comment=st.sampled_from(["", "y"]),
)
CONTENTS = st.one_of(
    PACKS, PACKS, PACKS, st.sampled_from(["", "metadata: [\n", "metadata: {business_line: Sales}\n", "x: 1\n"])
)


@st.composite
def edits(draw: st.DrawFn, files: Mapping[str, bytes]) -> dict[str, bytes]:
    """What a few people do to a folder in one go."""
    now = dict(files)
    for _ in range(draw(st.integers(1, 3))):
        packs = sorted(each for each in now if each.endswith(".yaml") and each != TENANTS)
        kind = draw(st.sampled_from(["write", "write", "touch", "touch", "remove", "move", "copy", "book", "tenants"]))
        chosen = draw(st.sampled_from(packs)) if packs else path(0)
        other = path(draw(st.sampled_from([*NUMBERS, 7])), draw(st.sampled_from(["a", "b"])))
        match kind:
            case "write":
                now[draw(st.sampled_from([chosen, other]))] = draw(CONTENTS).encode()
            case "touch" if chosen in now:
                now[chosen] = now[chosen].replace(b"'x", b"'xx")
            case "remove":
                now.pop(chosen, None)
            case "move" if chosen in now and other not in now:
                now[other] = now.pop(chosen)
            case "copy" if chosen in now:
                now[other] = now[chosen]
            case "book":
                now[f"{FOLDER}/a/{draw(st.sampled_from(['n.py', 'm.py']))}"] = draw(st.sampled_from([b"", b"# more\n"]))
            case "tenants" if draw(st.integers(0, 4)) == 0:
                now[TENANTS] = draw(st.sampled_from([b"tenants: {Sales: {}}\n", b"tenants: [\n"]))
    return now


def looked_at(found: Branch) -> Any:
    """All that a plan and a comment take from a branch."""
    changed = found.changed
    return {
        "changed": changed,
        "others": found.others,
        "moved": {pack: old for pack, old in found.moved_from.items() if pack in changed},
        "problems": found.problems,
        "packs": {pack: found.after.packs.get(pack) for pack in changed},
        "before": {pack: found.before.packs.get(pack) for pack in changed},
        "broken": found.after.broken,
        "unreadable": found.after.unreadable_lines,
        "tenants": found.after.tenants,
    }


def planned(found: Branch, recorded: RecordedState) -> Any:
    keys = keys_in_scope(found.after, found.changed, recorded)
    actual = {key: Found(row.resource) if (row := recorded.resources.get(key)) else Absent() for key in keys}
    removed = Attestation(removed=frozenset(recorded.resources))
    attestations = dict.fromkeys(found.changed, removed)
    world = World(recorded=recorded, actual=actual, now=0, attestations=attestations)
    return found.proposal(make_plan(found.after, found.changed, world), lambda *_: pytest.fail("no workbooks here"))


async def both(
    source: Commits, snapshots: InMemory, record: Record, head: str | None = "after"
) -> tuple[Branch, Branch]:
    part = await branch(source, WORKSPACE, "main", head, TODAY, known(snapshots, record))  # type: ignore[arg-type]
    whole = await branch(source, WORKSPACE, "main", head, TODAY)  # type: ignore[arg-type]
    return part, whole


def on_record(names: list[tuple[str, int]]) -> RecordedState:
    """Resources on record of packs, which may be other packs than those that declare them now."""
    packs = {PackId.of("Sales", f"P{n}") for _, n in names}
    resources = {}
    for name, number in names:
        key = Key(Kind.RECIPIENT if name.startswith("r") else Kind.SHARE, name, WORKSPACE)
        found: Recipient | Share = (
            Recipient(name, TokenSharing())
            if key.kind is Kind.RECIPIENT
            else Share(name, objects=frozenset({SharedObject("c.s.t")}), recipients=frozenset({"r0"}))
        )
        resources[key] = Recorded(found, PackId.of("Sales", f"P{number}"), 1, "c", datetime(2027, 1, 1, tzinfo=UTC))
    rows = {
        each: RecordedPack(each, str(each), "", WORKSPACE, PackStatus.COMPLETED, "c", "d", False, 1, "c")
        for each in packs
    }
    return RecordedState(resources, packs=rows)


RECORDED = st.lists(
    st.tuples(st.sampled_from(["r0", "r1", "r2", "s0", "s1", "s2", "gone"]), st.sampled_from(NUMBERS)),
    max_size=4,
    unique_by=lambda each: each[0],
).map(on_record)


@given(st.data(), RECORDED)
@settings(max_examples=examples(60, 1500), deadline=None)
def test_reading_a_part_says_what_reading_the_whole_says(data: st.DataObject, recorded: RecordedState) -> None:
    """Over a line of commits, with what was kept from the ones before."""
    snapshots = InMemory()
    files = tidy(borrows=data.draw(st.booleans()))
    for _ in range(data.draw(st.integers(1, 3))):
        after = data.draw(edits(files))
        source = Commits({"before": files, "after": after})
        head = data.draw(st.sampled_from(["after", None]))
        part, whole = asyncio.run(both(source, snapshots, Record(recorded), head))
        event(
            "in part" if isinstance(part.files_after, Mapping) and source.whole <= 3 and part.unread else "as a whole"
        )
        assert looked_at(part) == looked_at(whole)
        assert planned(part, recorded) == planned(whole, recorded)
        if data.draw(st.booleans()):
            files = after


def first_look(source: Commits, snapshots: InMemory) -> None:
    asyncio.run(branch(source, WORKSPACE, "main", "after", TODAY, known(snapshots, Record())))  # type: ignore[arg-type]
    source.whole = 0
    source.asked.clear()


def test_of_a_commit_that_is_known_only_what_the_branch_touches_is_read() -> None:
    before = tidy(borrows=False)
    after = {**before, path(2): before[path(2)].replace(b"'x", b"'xx")}
    source, snapshots = Commits({"before": before, "after": after}), InMemory()
    first_look(source, snapshots)
    part, whole = asyncio.run(both(source, snapshots, Record()))
    assert source.whole == 2  # by the comparison alone
    assert set(source.asked) == {path(2), TENANTS}
    assert (part.unread, part.others) == (5, 5)
    assert looked_at(part) == looked_at(whole)


def test_of_files_as_they_lie_there_no_other_is_parsed_either() -> None:
    before = tidy(borrows=False)
    after = {**before, path(2): before[path(2)].replace(b"'x", b"'xx")}
    source, snapshots = Commits({"before": before, "after": after}), InMemory()
    first_look(source, snapshots)
    part, whole = asyncio.run(both(source, snapshots, Record(), None))
    assert set(source.asked) == {path(2)}  # as it was; the rest is at hand
    assert (part.unread, part.others) == (5, 5)
    assert part.after.revision.content == "all"
    assert looked_at(part) == looked_at(whole)


def test_who_lends_a_recipient_is_read_and_who_else_borrows_it_is_not() -> None:
    lender = {path(n): pack(n, readers=("r0",)).encode() for n in NUMBERS}
    after = {**lender, path(2): lender[path(2)].replace(b"'x", b"'xx")}
    source, snapshots = Commits({"before": lender, "after": after}), InMemory()
    first_look(source, snapshots)
    first_look(source, snapshots)
    part, whole = asyncio.run(both(source, snapshots, Record()))
    assert set(source.asked) == {path(2), path(0)}
    assert looked_at(part) == looked_at(whole)


def test_a_pack_that_takes_what_an_untouched_one_declares_breaks_both() -> None:
    before = tidy(borrows=False)
    after = {**before, path(7): pack(7, share="S4").encode()}
    source, snapshots = Commits({"before": before, "after": after}), InMemory()
    first_look(source, snapshots)
    part, whole = asyncio.run(both(source, snapshots, Record()))
    assert source.whole == 2
    assert [problem.rule for problem in part.problems] == ["resource-duplicate"]
    assert part.after.unreadable_lines == {"sales"}
    assert looked_at(part) == looked_at(whole)


def test_more_than_a_workspace_holds_is_seen_though_nobody_reads_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(LIMITS, Kind.SHARE, len(NUMBERS))
    before = tidy(borrows=False)
    source, snapshots = Commits({"before": before, "after": {**before, path(7): pack(7).encode()}}), InMemory()
    first_look(source, snapshots)
    part, whole = asyncio.run(both(source, snapshots, Record()))
    assert [problem.rule for problem in part.problems] == ["workspace-too-many"]
    assert looked_at(part) == looked_at(whole)


def test_what_is_on_record_of_a_changed_pack_and_declared_by_another_now_is_not_taken_for_gone() -> None:
    before = tidy(borrows=False)
    after = {**before, path(2): before[path(2)].replace(b"'x", b"'xx")}
    source, snapshots = Commits({"before": before, "after": after}), InMemory()
    first_look(source, snapshots)
    recorded = on_record([("s4", 2)])
    part, whole = asyncio.run(both(source, snapshots, Record(recorded)))
    assert part.unread == 4
    assert planned(part, recorded) == planned(whole, recorded)
    assert not any(step.key.name == "s4" for step in planned(part, recorded).plan.steps)


def test_a_branch_that_left_a_commit_with_errors_is_read_as_a_whole() -> None:
    before = {**tidy(), path(3): b"metadata: [\n"}
    source, snapshots = Commits({"before": before, "after": {**before, path(7): pack(7).encode()}}), InMemory()
    first_look(source, snapshots)
    part, whole = asyncio.run(both(source, snapshots, Record()))
    assert not snapshots.kept
    assert looked_at(part) == looked_at(whole)


def test_what_was_kept_of_an_older_commit_is_brought_along() -> None:
    before = tidy(borrows=False)
    later = {**before, path(7): pack(7).encode()}
    after = {**later, path(1): before[path(1)].replace(b"'x", b"'xx")}
    snapshots = InMemory()
    first_look(Commits({"before": before, "after": later}), snapshots)
    source = Commits({"before": later, "after": after})
    part, whole = asyncio.run(both(source, snapshots, Record()))
    assert source.whole == 2
    assert set(source.asked) == {path(7), path(1), TENANTS}
    assert len(snapshots.kept) == 2
    assert looked_at(part) == looked_at(whole)


def test_what_was_kept_of_quite_another_folder_is_left_alone() -> None:
    other = {path(n, "b"): pack(n).encode() for n in range(40)}
    before = tidy(borrows=False)
    snapshots = InMemory()
    first_look(Commits({"before": other, "after": other}), snapshots)
    source = Commits({"before": before, "after": before})
    asyncio.run(branch(source, WORKSPACE, "main", "after", TODAY, known(snapshots, Record())))  # type: ignore[arg-type]
    assert source.whole == 1
    assert len(snapshots.kept) == 2


def test_a_new_commit_is_read_with_what_was_parsed_of_the_one_before(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[str] = []

    def parsing(place: str, data: bytes) -> ParsedFile:
        parsed.append(place)
        return parse_file(place, data)

    monkeypatch.setattr("reconciler.packs.remembering.parse_file", parsing)
    before = tidy()
    after = {**before, path(2): before[path(2)].replace(b"'x", b"'xx")}
    source: Any = Commits({"before": before, "after": after})
    parse = RememberedFiles()
    asyncio.run(read_commit(source, WORKSPACE, "before", parse=parse))
    assert len(parsed) == len(NUMBERS)
    parsed.clear()
    remembered = asyncio.run(read_commit(source, WORKSPACE, "after", parse=parse))
    assert parsed == [path(2)]
    assert remembered == asyncio.run(read_commit(source, WORKSPACE, "after"))
