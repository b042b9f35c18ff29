"""Generated repositories: valid, the same for the same seed, and wholly shareable from the sandbox."""

from pathlib import Path

from reconciler.adapters.git.source import pack_source
from reconciler.core.managed import UNMANAGED
from reconciler.core.share import Share
from reconciler.sandbox import Seed
from reconciler.stages.read import read_commit
from tests.bench.generate import Size, sandbox_seed, write_repository

SIZE = Size(6, recipients=3, shares=2, objects=7)


async def test_packs_are_valid_and_of_the_size_asked_for(tmp_path: Path) -> None:
    write_repository(tmp_path, SIZE, seed=1)
    desired = await read_commit(pack_source(tmp_path / "sharepacks"), "https://adb-1.1.azuredatabricks.net")
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
        (tmp_path / name).mkdir()
        write_repository(tmp_path / name, SIZE, seed)
        contents.append([path.read_bytes() for path in sorted((tmp_path / name).rglob("pack_*.yaml"))])
    first, again, other = contents
    assert first == again
    assert first != other
