"""Kept snapshots: found again as they were, and as if they were not there whenever anything is wrong with them."""

import hashlib
import importlib.metadata
import os
import threading
from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest

import reconciler
from reconciler.adapters import kept_snapshots
from reconciler.adapters.kept_snapshots import KeptSnapshots, program_digest
from reconciler.packs.footprint import Footprint, Footprints
from reconciler.packs.snapshot import Snapshot, decode, encode

TODAY = date(2027, 5, 1)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "home" / "cache"


@pytest.fixture
def kept(folder: Path) -> KeptSnapshots:
    return KeptSnapshots(folder, 100_000)


def snapshot(kept: KeptSnapshots, number: int = 1, workspace: str = "https://w") -> Snapshot:
    return Snapshot(
        kept.basis("packs", workspace),
        TODAY,
        {"packs/a.yaml": f"{number:040}", "packs/ä.py": "2" * 40},
        Footprints({"packs/a.yaml": (["pack:sales/q1", "share:s"], ["recipient:r\ud800"])}),
        {"packs/a.yaml": (workspace, 1, 2)},
    )


def found(kept: KeptSnapshots, workspace: str = "https://w", today: date = TODAY) -> list[Snapshot]:
    return list(kept.newest(kept.basis("packs", workspace), today))


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*.snapshot"))


def test_what_is_kept_is_found_again_by_this_and_by_the_next_process(kept: KeptSnapshots, folder: Path) -> None:
    one = snapshot(kept)
    kept.keep(one)
    assert found(kept) == [one]
    assert found(KeptSnapshots(folder, 100_000)) == [one]
    assert [each.name for each in folder.iterdir()] == [each.name for each in files(folder)]


def test_the_folder_and_its_files_are_this_users_alone(kept: KeptSnapshots, folder: Path) -> None:
    kept.keep(snapshot(kept))
    assert folder.stat().st_mode & 0o777 == 0o700
    assert files(folder)[0].stat().st_mode & 0o777 == 0o600


def test_another_default_workspace_another_folder_and_an_earlier_day_see_none_of_it(kept: KeptSnapshots) -> None:
    kept.keep(snapshot(kept))
    assert found(kept, workspace="https://other") == []
    assert list(kept.newest(kept.basis("other", "https://w"), TODAY)) == []
    assert list(kept.newest(kept.basis("packshttps", "://w"), TODAY)) == []
    assert found(kept, today=date(2027, 4, 30)) == []
    assert len(found(kept, today=date(2028, 1, 1))) == 1


def test_a_changed_program_sees_none_of_it(kept: KeptSnapshots, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept.keep(snapshot(kept))
    monkeypatch.setattr(kept_snapshots, "program_digest", lambda: "another")
    assert found(KeptSnapshots(folder, 100_000)) == []


def test_the_program_is_another_one_when_a_line_of_it_or_a_library_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    digests = {program_digest()}
    assert digests == {program_digest()}
    for name in ("core", "packs"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "a.py").write_text("a = 1\n", encoding="utf-8")
    monkeypatch.setattr(reconciler, "__file__", str(tmp_path / "__init__.py"))
    digests.add(program_digest())
    (tmp_path / "packs" / "a.py").write_text("a = 2\n", encoding="utf-8")
    digests.add(program_digest())
    monkeypatch.setattr(kept_snapshots, "version", lambda _: "another")
    digests.add(program_digest())
    assert len(digests) == 4


def test_it_is_read_once_as_long_as_it_is_the_same_file(kept: KeptSnapshots, folder: Path) -> None:
    one, two = snapshot(kept), snapshot(kept, 2)
    kept.keep(one)
    (path,) = files(folder)
    (first,) = found(kept)
    assert found(kept)[0] is first
    assert found(kept, today=date(2027, 4, 30)) == []
    other = path.with_suffix(".other")
    data = encode(replace(one, held={"packs/a.yaml": ("https://w", 3, 4)}))
    other.write_bytes(hashlib.sha256(data).digest() + data)
    other.replace(path)
    assert found(kept)[0].held == {"packs/a.yaml": ("https://w", 3, 4)}
    kept.keep(two)
    assert [each.ids for each in found(kept)] == [two.ids, one.ids]


@pytest.mark.parametrize("library", ["pydantic", "pydantic_core", "PyYAML", "openpyxl"])
def test_the_version_of_a_library_is_told(library: str) -> None:
    assert kept_snapshots.version(library) == importlib.metadata.version(library)


def test_whatever_is_wrong_with_a_file_it_is_as_if_it_were_not_there(kept: KeptSnapshots, folder: Path) -> None:
    one = snapshot(kept)
    kept.keep(one)
    (path,) = files(folder)
    data = path.read_bytes()
    for at in range(0, len(data), 7):
        for wrong in (data[:at], data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]):
            path.write_bytes(wrong)
            assert found(kept) == [], at
    path.write_bytes(data)
    assert found(kept) == [one]


def test_a_damaged_file_is_written_anew(kept: KeptSnapshots, folder: Path) -> None:
    one = snapshot(kept)
    kept.keep(one)
    files(folder)[0].write_bytes(b"damaged")
    next_run = KeptSnapshots(folder, 100_000)
    assert found(next_run) == []
    next_run.keep(one)
    assert found(next_run) == [one]


@pytest.mark.parametrize("mode", [0o622, 0o602])
def test_what_somebody_else_could_have_written_is_not_believed(kept: KeptSnapshots, folder: Path, mode: int) -> None:
    kept.keep(snapshot(kept))
    files(folder)[0].chmod(mode)
    assert found(kept) == []
    files(folder)[0].chmod(0o600)
    assert len(found(kept)) == 1
    folder.chmod(0o777)
    assert found(kept) == []
    kept.keep(snapshot(kept, 2))
    assert len(files(folder)) == 1


def test_a_link_is_not_followed(kept: KeptSnapshots, folder: Path, tmp_path: Path) -> None:
    kept.keep(snapshot(kept))
    (path,) = files(folder)
    elsewhere = path.rename(tmp_path / "elsewhere")
    path.symlink_to(elsewhere)
    assert found(kept) == []


def test_the_longest_unused_go_when_there_is_no_more_room(kept: KeptSnapshots, folder: Path) -> None:
    size = len(encode(snapshot(kept))) + 32
    small = KeptSnapshots(folder, 2 * size + 5)
    for number in (1, 2, 3):
        small.keep(snapshot(kept, number))
        for age, path in enumerate(sorted(files(folder), key=lambda each: each.stat().st_mtime_ns, reverse=True)):
            os.utime(path, (1_000_000 - age, 1_000_000 - age))
    assert [each.ids["packs/a.yaml"][-1] for each in found(small)] == ["3", "2"]
    assert sum(each.stat().st_size for each in folder.iterdir()) <= 2 * size + 5


def test_what_is_too_large_is_not_kept(folder: Path) -> None:
    tiny = KeptSnapshots(folder, 50)
    tiny.keep(snapshot(tiny))
    assert not folder.exists()


def test_where_nothing_can_be_written_nothing_is_kept_and_nothing_fails(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("", encoding="utf-8")
    blocked = KeptSnapshots(tmp_path / "file" / "cache", 100_000)
    blocked.keep(snapshot(blocked))
    assert found(blocked) == []


def test_a_full_disk_leaves_nothing_half_written(
    kept: KeptSnapshots, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    kept.keep(snapshot(kept))
    assert list(folder.iterdir()) == []


def test_many_that_write_at_once_leave_only_whole_ones(folder: Path) -> None:
    def write(number: int) -> None:
        mine = KeptSnapshots(folder, 100_000)
        for turn in range(10):
            mine.keep(snapshot(mine, number * (turn % 2)))

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    reader = KeptSnapshots(folder, 100_000)
    assert len(found(reader)) == len(files(folder)) == 4
    assert not list(folder.glob(".*"))


def test_nothing_but_what_was_written_is_read() -> None:
    one = Snapshot("b", TODAY, {"a.yaml": "1"}, Footprints.of({"a.yaml": Footprint()}), {"a.yaml": ("", 0, 0)})
    assert decode(encode(one)) == one
    for wrong in (b"", b"[]", b"null", b"{}", b"[" * 100_000, encode(one).replace(b'"format":1', b'"format":2')):
        assert decode(wrong) is None
    assert decode(encode(replace(one, footprints=Footprints({})))) is None
    elsewhere = Footprints.of({"b.yaml": Footprint()})
    assert decode(encode(replace(one, footprints=elsewhere, held={"b.yaml": ("", 0, 0)}))) is None
