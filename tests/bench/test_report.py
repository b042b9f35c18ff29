"""From measurements to what people read: targets, tables, the picture."""

from datetime import UTC, datetime
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.bench.generate import Size
from tests.bench.picture import Scale, picture
from tests.bench.readme import MarksMissingError, between, whole
from tests.bench.report import Line, document, shown
from tests.bench.rows import Row
from tests.bench.targets import verdicts
from tests.bench.task import Kind, Result, Run

AT = datetime(2026, 11, 23, tzinfo=UTC)


def _line(row: Row, seconds: float, calls: int = 0, memory: float = 150, **yardsticks: float) -> Line:
    runs = (Run(seconds, seconds / 2, 7, calls, 0, {}), Run(seconds, seconds / 2, 7, calls, 0, {}))
    return Line(row, Result(runs, 100, memory, yardsticks))


def _verdicts(*lines: Line) -> dict[str, tuple[float, bool]]:
    found = verdicts([line.as_json() for line in lines])
    return {each["target"]: (each["reached"], each["is_met"]) for each in found}


def test_validating_is_judged_by_the_bare_parse_and_the_memory_of_each_pack() -> None:
    middle = _line(Row(Kind.VALIDATE, Size(1000)), 0.8, memory=120, limit=0.4)
    most = _line(Row(Kind.VALIDATE, Size(10_000)), 10, memory=400, limit=4)
    assert _verdicts(middle, most) == {
        "validate 10,000 packs: x the bare parse": (2.5, False),
        "validate 10,000 packs: x the memory per pack of 1,000": (1.5, False),
    }


def test_a_plan_of_one_pack_is_judged_by_calls_growth_and_latencies() -> None:
    few = _line(Row(Kind.PLAN_ONE, Size(100), 50), 1.0, calls=10, interpreter=0.02)
    most = _line(Row(Kind.PLAN_ONE, Size(10_000), 50), 1.2, calls=11, interpreter=0.02)
    assert _verdicts(few, most) == {
        "plan 1 changed pack of 100 packs, 50 ms, known: API calls": (10, True),
        "plan 1 changed pack of 10,000 packs, 50 ms, known: API calls": (11, False),
        "plan 1 changed pack of 10,000 packs, 50 ms, known: x the seconds of 100 packs": (1.2, True),
        "plan 1 changed pack of 10,000 packs, 50 ms, known: API latencies beside interpreter start": (23.6, True),
    }


def test_reading_and_applying_are_judged_by_limit_baselines_and_calls() -> None:
    plan = _line(Row(Kind.PLAN_UNCHANGED, Size(1000), 50), 25, A=300, B=20)
    quiet = _line(Row(Kind.QUIET, Size(1000), 50), 12, calls=3000, B=20)
    apply = _line(Row(Kind.APPLY, Size(200), 50), 10, calls=2800, A=90)
    alone = _line(Row(Kind.WORKERS, Size(200), 50), 10, calls=2400)
    four = _line(Row(Kind.WORKERS, Size(200), 50, processes=4), 5, calls=2400)
    assert _verdicts(plan, quiet, apply, alone, four) == {
        "plan 1,000 packs, unchanged, 50 ms: of the limit": (0.75, False),
        "plan 1,000 packs, unchanged, 50 ms: x as fast as baseline A": (12, True),
        "plan 1,000 packs, unchanged, 50 ms: x as fast as baseline B": (0.8, False),
        "quiet drift pass, 1,000 packs, 50 ms: of the calls of baseline B": (0.5, True),
        "apply 200 packs, 50 ms: of the limit": (0.875, True),
        "apply 200 packs, 50 ms: x as fast as baseline A": (9, False),
        "apply 200 packs, 50 ms: x the fewest API calls": (1, True),
        "work off 200 packs, 50 ms, 1 process: of the limit": (0.5, False),
        "work off 200 packs, 50 ms, 4 processes: of the limit": (0.25, False),
        "work off 200 packs, 50 ms, 4 processes: x as fast as 1 process, of 4": (2, False),
    }


def test_a_row_that_failed_is_shown_and_not_judged() -> None:
    failed = Line(Row(Kind.VALIDATE, Size(1000)), None, "Traceback\nAssertionError: 3 packs are valid")
    good = _line(Row(Kind.EXCEL, Size(100), rows=2000), 1.0, limit=0.8)
    results = document([failed, good], _machine(), AT, seed=1)
    assert [each["target"] for each in results["targets"]] == [
        "read a workbook of 2,000 rows: x openpyxl's read-only parse"
    ]
    words = whole(results)
    assert "validate 1,000 packs" in words
    assert "failed: AssertionError: 3 packs are valid" in words


def test_the_picture_has_a_panel_for_each_work_with_its_lines() -> None:
    lines = [
        _line(
            Row(Kind.PLAN_UNCHANGED, Size(packs), 50), packs / 40, A=packs / 3, B=packs / 50, **{"B throttled": packs}
        )
        for packs in (100, 1000)
    ]
    drawn = ET.fromstring(picture(document(lines, _machine(), AT, seed=1)))
    places = {
        each.get("class"): each.get("points", "").split() for each in drawn.iter("{http://www.w3.org/2000/svg}polyline")
    }
    assert {name: len(points) for name, points in places.items()} == {"own": 2, "limit": 2, "a": 2, "b": 2, "slow": 2}
    texts = [each.text for each in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert {"plan everything, nothing changed", "an API call takes 50 ms"} <= set(texts)


def test_an_axis_ends_at_powers_of_ten() -> None:
    scale = Scale.around([0.2, 30], start=0, end=300)
    assert scale.ticks == [0.1, 1, 10, 100]
    assert [round(scale.at(tick)) for tick in scale.ticks] == [0, 100, 200, 300]


def test_figures_stand_between_their_marks() -> None:
    page = "before\n<!-- speed -->\nold\n<!-- end of speed -->\nafter\n"
    assert between(page, "new\n") == "before\n<!-- speed -->\n\nnew\n\n<!-- end of speed -->\nafter\n"
    with pytest.raises(MarksMissingError):
        between("nothing\n", "new")


@pytest.mark.parametrize(("value", "words"), [(None, "-"), (0.123, "0.12"), (12.34, "12.3"), (1234.5, "1,234")])
def test_seconds_have_three_digits(value: float | None, words: str) -> None:
    assert shown(value) == words


def _machine() -> dict[str, Any]:
    return {
        "commit": "abc",
        "cores": 2,
        "memory_gb": 8,
        "processor": "P",
        "python": "3.11",
        "postgresql": "18",
        "load_before": 0.1,
    }
