"""What the record says over HTTP: lists in pages, histories, plans, and who can read what in every form."""

import csv
import io
from datetime import UTC, datetime, timedelta

import openpyxl
import pytest

from reconciler.core.problem import Problem, Where
from reconciler.http.answers import finding
from reconciler.http.problems import HttpError
from reconciler.http.routes_access import XLSX, moment
from tests.http.api import Api
from tests.journeys.packs import SALES

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


def other(number: int) -> str:
    renamed = SALES.replace("Sales Data Q1 2024", f"Project {number}").replace("sales_q1_share", f"share_{number}")
    return renamed.replace("sales-analyst", f"analyst-{number}")


async def test_lists_come_in_pages_and_narrowed(api: Api) -> None:
    await api.let_in()
    for number in range(3):
        assert (await api.upload(other(number))).status == 202
    first = (await api.ask("/workflow/sharepacks?limit=2")).json
    assert ([each["ProjectName"] for each in first["SharePacks"]], first["Total"]) == (["Project 0", "Project 1"], 3)
    second = (await api.ask(f"/workflow/sharepacks?limit=2&cursor={first['NextCursor']}")).json
    assert ([each["ProjectName"] for each in second["SharePacks"]], second["NextCursor"]) == (["Project 2"], None)
    assert (await api.ask("/workflow/sharepacks?text=PROJECT 1")).json["Total"] == 1
    assert (await api.ask("/workflow/sharepacks?status=COMPLETED")).json["Total"] == 0
    assert (await api.ask("/workflow/sharepacks?cursor=nonsense")).status == 422
    assert (await api.ask("/workflow/sharepacks?limit=0")).status == 422


async def test_history_and_plan_of_a_pack(working_api: Api) -> None:
    api = working_api
    await api.let_in()
    share_pack_id = (await api.upload(SALES)).json["SharePackId"]
    await api.ended(share_pack_id)
    history = (await api.ask(f"/workflow/sharepack/{share_pack_id}/history")).json
    assert [each["Version"] for each in history["Versions"]] == [*range(1, len(history["Versions"]) + 1)]
    assert history["Versions"][-1]["EffectiveTo"] is None
    assert [each["Key"] for each in history["Resources"]] == ["recipient/sales-analyst", "share/sales_q1_share"]
    kept = (await api.ask(f"/workflow/sharepack/{share_pack_id}/plan")).json
    assert (kept["IsLive"], kept["Actor"]) == (False, "the API")
    assert kept["Plan"]["id"] == {"business_line": "Sales Operations", "project_name": "Sales Data Q1 2024"}
    assert kept["Plan"]["actions"]
    live = (await api.ask(f"/workflow/sharepack/{share_pack_id}/plan?live=true")).json
    assert (live["IsLive"], live["PlanId"], live["Plan"]["actions"]) == (True, None, [])


async def test_who_can_read_what_in_every_form(working_api: Api) -> None:
    api = working_api
    await api.let_in()

    await api.ended((await api.upload(SALES)).json["SharePackId"])
    found = (await api.ask("/workflow/access?object=prod_catalog.sales.transactions")).json
    (line,) = found["Lines"]
    assert (line["Recipient"], line["Share"], line["Email"]) == (
        "sales-analyst",
        "sales_q1_share",
        "analyst@partner.com",
    )
    as_csv = await api.ask("/workflow/access?format=csv")
    assert as_csv.headers["content-type"].startswith("text/csv")
    assert as_csv.headers["content-disposition"] == 'attachment; filename="access.csv"'
    rows = list(csv.DictReader(io.StringIO(as_csv.text)))
    assert [row["object"] for row in rows] == ["prod_catalog.sales.customers", "prod_catalog.sales.transactions"]
    book = await api.ask("/workflow/access", headers={**api.headers, "Accept": XLSX})
    assert openpyxl.load_workbook(io.BytesIO(book.content))["Access"].max_row == 3
    assert (await api.ask("/workflow/access?as_of=2001-01-01")).json["Lines"] == []
    assert (await api.ask("/workflow/access?as_of=2999-01-01")).status == 422


def test_a_day_of_the_past_means_its_end() -> None:
    assert moment("2026-03-30", NOW) == datetime(2026, 3, 30, 23, 59, 59, 999_999, tzinfo=UTC)
    assert moment("2026-03-31", NOW) is None
    assert moment("2026-03-31T10:00:00+02:00", NOW) == NOW - timedelta(hours=4)
    assert moment("2026-03-31T10:00:00", NOW) == NOW - timedelta(hours=2)


@pytest.mark.parametrize(
    "text", ["2026-04-01", "2026-02-30", "yesterday", "2026-03-31T12:00:01Z", "0001-01-01T00:00:00+14:00"]
)
def test_what_is_no_moment_of_the_past_is_told(text: str) -> None:
    with pytest.raises(HttpError) as caught:
        moment(text, NOW)
    assert caught.value.status == 422


def test_of_the_files_of_others_only_the_problem_is_told() -> None:
    told = finding(Problem(Where("sharepacks/legal/secret.yaml", 3, 1), "rule", "message", "hint"))
    assert "legal" not in told.model_dump_json()
    own = finding(Problem(Where("mine.yaml", 3, 1), "rule", "message", "hint"))
    assert (own.file, own.line, own.text) == ("mine.yaml", 3, "mine.yaml:3:1: message; hint")
