"""`sharepack access`, over a real record."""

import csv
import io
import json
from datetime import UTC, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import jsonschema
import openpyxl
import pytest

from reconciler.cli.exits import Exit
from tests.cli.conftest import PACK, Bench

TABLE = "prod_catalog.sales.transactions"
SCHEMA = json.loads((Path(__file__).parents[2] / "schema" / "access.schema.json").read_text(encoding="utf-8"))


@pytest.fixture
def database_url(migrated_database_url: str) -> str:
    """Making one for each test would cost more than most of them."""
    return migrated_database_url


@pytest.fixture
def applied(bench: Bench) -> Bench:
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE
    return bench


def flat(text: str) -> str:
    return " ".join(text.split())


def test_who_can_read_an_object_since_when_and_by_whose_doing(applied: Bench) -> None:
    done = applied.run("access", "--object", TABLE.upper())
    assert done.exit_code == Exit.DONE
    assert done.stderr == ""
    text = flat(done.stdout)
    assert text.startswith(f"Who can read {TABLE.upper()} now, at ")
    assert "sales-analyst in " in text
    assert "D2O, outside Databricks; e-mail analyst@partner.com; reads from 192.168.1.0/24" in text
    assert "share/sales_q1_share Sales Operations / Sales Data Q1 2024" in text
    assert "from commit" in text
    assert "prod_catalog.sales.customers" not in text
    assert "\x1b" not in done.stdout


def test_a_table_is_read_through_its_schema(applied: Bench) -> None:
    share = "  - {name: all_sales, recipients: [sales-analyst], data_objects: [prod_catalog.sales]}\n"
    applied.pack.write_text(PACK + share)
    applied.commit()
    wider = "whole-schema:share/all_sales/sales-analyst"
    assert applied.run("apply", "--auto-approve", "--allow", wider).exit_code == Exit.DONE
    text = flat(applied.run("access", "--object", TABLE).stdout)
    assert f"prod_catalog.sales (all of the schema): {TABLE} lies in it" in text


def test_nobody_is_an_answer(applied: Bench) -> None:
    done = applied.run("access", "--object", "prod_catalog.hr.salaries", "--recipient", "sales-analyst")
    assert done.exit_code == Exit.DONE
    assert flat(done.stdout).startswith("sales-analyst cannot read prod_catalog.hr.salaries now, at ")
    assert "as far as the record tells; it goes back to" in flat(done.stdout)


def test_before_the_record_and_with_an_empty_one(bench: Bench) -> None:
    assert bench.run("access").stdout == "Nothing is on record: no share was ever applied.\n"
    assert bench.run("apply", "--auto-approve").exit_code == Exit.DONE
    done = bench.run("access", "--object", TABLE, "--as-of", "2020-01-01", "--timezone", "Europe/Berlin")
    assert flat(done.stdout).startswith(
        "What could be read at 2020-01-01 22:59:59 UTC (the end of 2020-01-01 in Europe/Berlin) is not known: "
    )


def test_a_time_that_has_passed_is_answered_for_that_time(applied: Bench) -> None:
    now = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%S.%fZ}"
    applied.pack.write_text(PACK.replace("recipients: [sales-analyst]", "recipients: []"))
    applied.commit()
    assert applied.run("apply", "--auto-approve", "--allow", "revoke:share/sales_q1_share").exit_code == Exit.DONE
    assert "Nobody can read" in applied.run("access", "--object", TABLE).stdout
    then = flat(applied.run("access", "--object", TABLE, "--as-of", now).stdout)
    assert then.startswith(f"Who could read {TABLE} at ")
    assert "sales-analyst" in then


def test_json_is_of_the_form_that_the_schema_says(applied: Bench) -> None:
    done = applied.run("access", "--line", " sales  OPERATIONS ", "--format", "json")
    document = json.loads(done.stdout)
    jsonschema.validate(document, SCHEMA)
    assert document["asked"]["business_lines"] == ["sales operations"]
    assert [each["object"]["name"] for each in document["access"]] == ["prod_catalog.sales.customers", TABLE]
    assert document["recipients"][0]["email"] == "analyst@partner.com"


def test_csv_goes_to_standard_output_and_to_files(applied: Bench, tmp_path: Path) -> None:
    said = applied.run("access", "--format", "csv").stdout_bytes.decode()
    rows = list(csv.DictReader(io.StringIO(said, newline="")))
    assert [row["recipient"] for row in rows] == ["sales-analyst"] * 2
    kept = tmp_path / "who reads.CSV"
    done = applied.run("access", "--out", str(kept))
    assert kept.read_bytes().decode() == said
    assert done.stdout == ""
    assert f"2 lines in {kept}." in done.stderr


def test_a_workbook_says_what_it_is_about(applied: Bench, tmp_path: Path) -> None:
    kept = tmp_path / "access.xlsx"
    assert applied.run("access", "--recipient", "nobody-x", "--out", str(kept)).exit_code == Exit.DONE
    book = openpyxl.load_workbook(kept)
    assert book["Access"].max_row == 1
    about = {row[0]: row[1] for row in book["About"].iter_rows(values_only=True)}
    assert str(about["question"]).startswith("What nobody-x can read now, at ")
    assert "it goes back to" in str(about["answer"])


def test_another_business_line_has_nothing(applied: Bench) -> None:
    done = applied.run("access", "--line", "Legal")
    assert done.stdout == "Nothing of legal is on record: no share was ever applied.\n"


# Wrong usage


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["--as-of", "yesterday"], "'yesterday' is no time: write a day such as 2026-03-31"),
        (["--as-of", "2999-01-01"], "2999-01-01 has not come yet"),
        (["--timezone", "Mars/Base", "--as-of", "2020-01-01"], "there is no time zone 'Mars/Base' here"),
        (["--format", "xlsx"], "give --out FILE.xlsx"),
        (["--object", "a\x1bb"], "--object: that has characters no name has"),
    ],
)
def test_wrong_usage_is_answered_with_what_to_write(bench: Bench, arguments: list[str], words: str) -> None:
    done = bench.run("access", *arguments)
    assert done.exit_code != Exit.DONE
    assert words in flat(done.stderr)


def test_a_file_that_cannot_be_written_is_one_line(bench: Bench, tmp_path: Path) -> None:
    done = bench.run("access", "--out", str(tmp_path / "no folder" / "x.csv"))
    assert done.exit_code == Exit.ERROR
    assert done.stderr.count("\n") == 1
    assert "No such file or directory; name another file" in done.stderr


def test_a_day_that_is_not_over_is_now(applied: Bench) -> None:
    # Where the day does not end while this runs.
    zone = "Etc/GMT+11" if datetime.now(UTC).hour >= 12 else "UTC"
    today = datetime.now(ZoneInfo(zone))
    done = applied.run("access", "--object", TABLE, "--as-of", f"{today:%Y-%m-%d}", "--timezone", zone)
    assert flat(done.stdout).startswith(f"Who can read {TABLE} now, at ")
    assert f"({today:%Y-%m-%d} in {zone} is not over)" in flat(done.stdout)
