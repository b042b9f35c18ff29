import re
from dataclasses import replace

import pytest

from reconciler.core.changes import Cause
from reconciler.core.plan import Step
from reconciler.core.share import Share
from reconciler.core.verdict import Create, Delete
from reconciler.render.access_text import short_workspace
from reconciler.render.lines import Style
from reconciler.render.plan_text import Detail, plan_text
from tests.render.golden_files import the_text_is_as_committed
from tests.render.plans import SALES, Scene, plan_of, table
from tests.render.scenes import scenes

SCENES = scenes()


@pytest.mark.parametrize("name", SCENES)
def test_the_text_of_a_plan_is_as_committed(name: str) -> None:
    the_text_is_as_committed(f"{name}.txt", plan_text(SCENES[name], detail=Detail(ending="Nothing was changed.")))


@pytest.mark.parametrize("name", SCENES)
def test_colour_changes_nothing_but_colour(name: str) -> None:
    coloured = plan_text(SCENES[name], Style(colour=True))
    assert "\x1b[" in coloured
    assert re.sub(r"\x1b\[[0-9;]*m", "", coloured) == plan_text(SCENES[name])


def test_a_stream_of_ascii_gets_ascii() -> None:
    text = plan_text(SCENES["changed"], Style(unicode=False))
    assert text.isascii()
    assert '"changed" -> "Q1 sales data with refunds"   <- changed' in text


def test_the_summary_line_counts_every_resource_once() -> None:
    last = plan_text(SCENES["in_the_way"]).splitlines()[-1]
    assert last == "Plan: 0 to create, 0 to update, 0 to delete, 0 unchanged. 1 to adopt. 2 held."


def test_a_long_list_of_objects_is_cut_visibly_and_shown_whole_on_request() -> None:
    plan = SCENES["big"]
    assert "… and 20 more (--full shows all)" in plan_text(plan)
    whole = plan_text(plan, detail=Detail(listed=1000))
    assert "--full" not in whole
    assert all(f"prod_catalog.sales.t{number:03}" in whole for number in range(40))


def test_recipients_are_never_cut() -> None:
    readers = frozenset(f"reader-{number:03}" for number in range(50))
    share = Share("s", "", frozenset({table("c.s.t")}), readers)
    text = plan_text(plan_of(Scene([share])), detail=Detail(listed=1))
    assert all(reader in text for reader in readers)


def test_a_pack_that_moved_says_which_workspace_is_meant() -> None:
    plan = plan_of(Scene([SALES], [SALES], [SALES]))
    old = replace(plan.packs[0].steps[0].key, workspace="https://adb-999.1.azuredatabricks.net")
    (pack,) = plan.packs
    gone = Step(old, Delete(SALES), None)
    moved = replace(pack, steps=(Step(pack.steps[0].key, Create(SALES, Cause.FILE), SALES), gone))
    text = plan_text(replace(plan, packs=(moved,)))
    assert "access in adb-1112223334445556\n  + sales-analyst" in text
    assert "access in adb-999\n  - sales-analyst" in text
    assert "  - share/sales_q1_share in adb-999  deleted" in text


def test_more_than_twenty_quiet_packs_are_counted() -> None:
    quiet = [_quiet(number) for number in range(21)]
    assert "21 packs with nothing to do." in plan_text(plan_of(*quiet))
    assert "nothing to do, 1 unchanged" in plan_text(plan_of(*quiet[:20]))


def _quiet(number: int) -> Scene:
    share = Share(f"share_{number:02}", "", frozenset(), frozenset())
    return Scene([share], [share], [share], project=f"Project {number:02}", path=f"sharepacks/p{number:02}.yaml")


@pytest.mark.parametrize(
    ("workspace", "short"),
    [
        ("https://adb-111.7.azuredatabricks.net", "adb-111"),
        ("https://dbc-1.cloud.databricks.com", "dbc-1.cloud.databricks.com"),
        ("http://127.0.0.1:8080", "127.0.0.1:8080"),
        ("", ""),
    ],
)
def test_a_workspace_is_shortened_to_what_tells_it_apart(workspace: str, short: str) -> None:
    assert short_workspace(workspace) == short
