"""What a plan of one changed pack costs does not grow with the repository: API calls, SQL statements, git processes
and parsed packs are counted, with few packs beside it and with ten times as many."""

import subprocess
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from reconciler.cli.exits import Exit
from reconciler.packs.parsing import parse_file
from tests.bench.meter import Statements
from tests.cli.conftest import PACK, Bench
from tests.cli.test_since import other


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("cache_dir", str(tmp_path / "cache"))
    return tmp_path / "cache"


def grow(bench: Bench, count: int) -> None:
    """On main, so many packs; on the branch, one of them changed."""
    bench.git("checkout", "--quiet", "-B", "main")
    for number in range(count):
        bench.pack.with_name(f"other_{number}.yaml").write_text(other(number), encoding="utf-8")
    bench.pack.write_text(PACK, encoding="utf-8")
    bench.commit()
    assert bench.run("apply", "--auto-approve", str(bench.pack)).exit_code == Exit.DONE
    bench.git("checkout", "--quiet", "-B", "change")
    bench.pack.write_text(PACK.replace("Q1 sales data", "Sales of the first quarter"), encoding="utf-8")
    bench.commit()


def cost(bench: Bench, monkeypatch: pytest.MonkeyPatch, *options: str) -> tuple[str, Counter[str]]:
    """What the plan says, and what it took."""
    counts: Counter[str] = Counter()
    parse, start = parse_file, subprocess.run

    def parsing(*args: Any) -> Any:
        counts["parsed"] += 1
        return parse(*args)

    def starting(*args: Any, **options: Any) -> Any:
        counts["git"] += 1
        return start(*args, **options)

    bench.control.clear_log()
    statements = Statements()
    with monkeypatch.context() as patch, statements.counting():
        patch.setattr("reconciler.packs.remembering.parse_file", parsing)
        patch.setattr(subprocess, "run", starting)
        result = bench.run("plan", "--since", "main", *options)
    assert result.exit_code == Exit.DONE, result.output
    # The first one is the SDK's own, which asks the host about itself.
    counts["calls"] = sum(not each["path"].startswith("/.well-known/") for each in bench.control.log())
    counts["statements"] = statements.count
    return result.stdout, counts


@pytest.mark.parametrize("options", [["--commit", "HEAD"], []])
def test_a_changed_pack_costs_the_same_among_ten_times_as_many(
    bench: Bench, cache: Path, monkeypatch: pytest.MonkeyPatch, options: list[str]
) -> None:
    found = []
    for count in (5, 50):
        grow(bench, count)
        cold, first = cost(bench, monkeypatch, *options)
        warm, second = cost(bench, monkeypatch, *options)
        assert warm == cold
        assert first["parsed"] >= count
        found.append((warm, second))
    (few_said, few), (many_said, many) = found
    # All but the first line, which names the commit.
    assert few_said.splitlines()[1:] == many_said.splitlines()[1:]
    assert few == many
    assert many["parsed"] == 2  # as it was, and as it is
    # Two resources, asked at most twice each, and two calls beside them.
    assert many["calls"] <= 2 * 2 + 2
    assert len(list(cache.iterdir())) == 2


def test_without_a_cache_the_plan_is_the_same(bench: Bench, cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    grow(bench, 3)
    kept, _ = cost(bench, monkeypatch, "--commit", "HEAD")
    monkeypatch.setenv("cache_megabytes", "0")
    anew, counts = cost(bench, monkeypatch, "--commit", "HEAD")
    assert anew == kept
    assert counts["parsed"] == 5  # four on main, and one that the branch changes
    assert len(list(cache.iterdir())) == 1


def test_a_cache_that_was_cut_off_in_the_middle_is_made_anew(
    bench: Bench, cache: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    grow(bench, 3)
    kept, _ = cost(bench, monkeypatch, "--commit", "HEAD")
    (file,) = cache.iterdir()
    content = file.read_bytes()
    file.write_bytes(content[: len(content) // 2])
    anew, counts = cost(bench, monkeypatch, "--commit", "HEAD")
    assert anew == kept
    assert counts["parsed"] == 5
    assert file.read_bytes() == content
