"""Generated repositories: valid, the same for the same seed, wholly shareable from the sandbox; and a sandbox that is
filled with what they declare. That the record filled in bulk is theirs shows in the bench itself: plans are empty."""

from pathlib import Path

from reconciler.adapters.git.source import pack_source
from reconciler.core.desired import Desired
from reconciler.core.managed import UNMANAGED
from reconciler.core.share import Share
from reconciler.sandbox import Knobs, Seed
from reconciler.sandbox.state import State
from reconciler.stages.read import read_commit
from tests.bench.generate import BRANCHES, Size, sandbox_seed, write_repository
from tests.bench.sandboxed import fill

HOST = "https://adb-1.1.azuredatabricks.net"
SIZE = Size(6, recipients=3, shares=2, objects=7)


async def test_packs_are_valid_and_of_the_size_asked_for(tmp_path: Path) -> None:
    write_repository(tmp_path / "packs", SIZE, 1, [HOST])
    desired = await read_commit(pack_source(tmp_path / "packs" / "sharepacks"), HOST)
    assert list(desired.problems) == []
    assert len(desired.packs) == SIZE.packs
    tables = {table.full_name for table in Seed.from_yaml(sandbox_seed(SIZE.tables)).tables}
    objects: list[str] = []
    for pack in desired.packs.values():
        shares = [each.resource for each in pack.resources.values() if isinstance(each.resource, Share)]
        assert (len(shares), len(pack.resources)) == (SIZE.shares, SIZE.shares + SIZE.recipients)
        for share in shares:
            assert share.objects is not UNMANAGED
            objects.extend(item.name for item in share.objects)
    assert len(objects) == len(set(objects)) == SIZE.tables
    assert set(objects) <= tables


def test_the_same_seed_gives_the_same_packs(tmp_path: Path) -> None:
    contents = []
    for name, seed in (("first", 1), ("again", 1), ("other", 2)):
        write_repository(tmp_path / name, SIZE, seed, [HOST])
        contents.append([path.read_bytes() for path in sorted((tmp_path / name).rglob("pack_*.yaml"))])
    first, again, other = contents
    assert first == again
    assert first != other


async def test_branches_change_as_many_packs_as_they_say(tmp_path: Path) -> None:
    write_repository(tmp_path / "packs", SIZE, 1, [HOST])
    source = pack_source(tmp_path / "packs" / "sharepacks")
    before = await source.committed("main")
    for branch, change in BRANCHES.items():
        after = await source.committed(branch)
        differing = [path for path, content in after.files.items() if before.files[path] != content]
        assert len(differing) == min(change.packs, SIZE.packs)
        desired = await read_commit(source, HOST, branch)
        assert list(desired.problems) == []
        spare = _objects(desired) - _objects(await read_commit(source, HOST))
        assert len(spare) == (len(differing) if change.swaps_table else 0)
        assert spare <= {table.full_name for table in Seed.from_yaml(sandbox_seed(SIZE.tables)).tables}


def test_a_filled_sandbox_has_all_that_the_packs_declare() -> None:
    state = State(Seed.from_yaml(sandbox_seed(SIZE.tables)), Knobs())
    fill([state], SIZE, seed=1)
    assert (len(state.recipients), len(state.shares)) == (6 * 3, 6 * 2)
    assert all(len(share.objects) == 7 and len(share.grants) == 3 for share in state.shares.values())


def _objects(desired: Desired) -> set[str]:
    resources = [each.resource for pack in desired.packs.values() for each in pack.resources.values()]
    shared = [each.objects for each in resources if isinstance(each, Share) and each.objects is not UNMANAGED]
    return {item.name for objects in shared for item in objects}
