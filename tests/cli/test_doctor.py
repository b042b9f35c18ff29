"""`sharepack doctor` against a real sandbox, database and queue, with one thing at a time broken on purpose."""

import asyncio
import json
import socket
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from click.testing import Result

from tests.azurite import Azurite
from tests.cli.conftest import Bench

SECRET = "canarybird0123456789"
GONE = f"postgresql://ann:{SECRET}@127.0.0.1:1/nothing"


def findings(result: Result) -> dict[str, list[dict[str, Any]]]:
    """By subject. What the command says and its exit code agree."""
    said = json.loads(result.stdout)
    failed = [each for each in said["findings"] if each["level"] == "fail"]
    assert said["is_well"] is (not failed)
    assert result.exit_code == (1 if failed else 0)
    assert SECRET not in result.output
    found: dict[str, list[dict[str, Any]]] = {}
    for each in said["findings"]:
        found.setdefault(each["subject"], []).append(each)
    return found


def levels(bench: Bench) -> dict[str, set[str]]:
    found = findings(bench.run("doctor", "--format", "json"))
    return {subject: {each["level"] for each in group} for subject, group in found.items()}


@pytest.fixture
def applied(bench: Bench) -> Bench:
    assert bench.run("apply", "--auto-approve").exit_code == 0
    return bench


def test_where_all_is_well_it_exits_with_0_and_changes_nothing(applied: Bench) -> None:
    applied.control.clear_log()
    result = applied.run("doctor")
    assert result.exit_code == 0, result.output
    assert "0 failed." in result.output.splitlines()[-1]
    assert applied.writes() == []
    assert "fail " not in result.output
    assert levels(applied)["rights"] == {"ok"}


def test_before_the_first_plan_it_makes_nothing(
    bench: Bench, fresh_database_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("domain_db_connection_string", fresh_database_url)
    assert levels(bench)["database"] == {"warn"}
    tables = asyncio.run(fetch(fresh_database_url, "SELECT count(*) FROM pg_namespace WHERE nspname IN ('reconciler')"))
    assert tables == 0


async def fetch(dsn: str, query: str) -> Any:
    connection = await asyncpg.connect(dsn)
    try:
        return await connection.fetchval(query)
    finally:
        await connection.close()


def test_an_older_schema_is_told_and_left_as_it_is(applied: Bench, database_url: str) -> None:
    asyncio.run(fetch(database_url, "UPDATE reconciler.alembic_version SET version_num = '0001'"))
    found = findings(applied.run("doctor", "--format", "json"))
    assert [each["level"] for each in found["database"]] == ["warn"]
    assert "work" not in found
    assert asyncio.run(fetch(database_url, "SELECT version_num FROM reconciler.alembic_version")) == "0001"
    asyncio.run(fetch(database_url, "UPDATE reconciler.alembic_version SET version_num = '9999'"))
    assert levels(applied)["database"] == {"fail"}


def test_without_settings_and_without_packs(no_settings: Path, monkeypatch: pytest.MonkeyPatch, bench: Bench) -> None:
    monkeypatch.delenv("domain_db_connection_string")
    monkeypatch.delenv("databricks_host")
    monkeypatch.chdir(no_settings)
    found = levels(bench)
    assert found["database"] == found["queue"] == found["git"] == {"warn"}
    assert found["packs"] == found["workspace"] == {"fail"}
    assert found["disk"] <= {"ok", "warn"}
    assert not (no_settings / ".sharepack").exists()


def test_an_embedded_database_is_started_when_there_is_one(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("domain_db_connection_string")
    bench.run("history", "share/none")
    assert (bench.repository / ".sharepack").is_dir()
    found = levels(bench)
    assert found["database"] == found["queue"] == found["clock"] == {"ok"}
    assert "disk" in found


def test_a_database_that_is_down_stops_no_other_check(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("domain_db_connection_string", GONE)
    found = levels(bench)
    assert found["database"] == found["queue"] == {"fail"}, "the queue is in the database"
    assert found["commit"] == found["packs"] == found["identity"] == {"ok"}


def test_a_queue_that_is_down_stops_no_other_check(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        port = unused.getsockname()[1]
    monkeypatch.setenv("azure_queue_connection_string", Azurite(Path(), port).connection_string)
    found = levels(applied)
    assert found["queue"] == {"fail"}
    assert found["database"] == found["identity"] == {"ok"}


def test_an_azure_queue_that_works(applied: Bench, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    azurite = Azurite(tmp_path / "azurite")
    azurite.start()
    try:
        monkeypatch.setenv("azure_queue_connection_string", azurite.connection_string)
        assert levels(applied)["queue"] == {"ok"}
        assert applied.run("worker", "--once").exit_code == 0, "no worker gets to see the message"
    finally:
        azurite.kill()


def test_a_token_nobody_knows(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", f"dapi-{SECRET}")
    (identity,) = findings(applied.run("doctor", "--format", "json"))["identity"]
    assert identity["level"] == "fail"
    assert identity["workspace"]
    assert "credentials" in identity["advice"]


def test_who_may_do_nothing_is_told_what_to_have_granted(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-sandbox-guest")
    result = applied.run("doctor")
    assert result.exit_code == 1
    assert "GRANT CREATE SHARE ON METASTORE TO `guest@sandbox.example`;" in result.output


def test_two_ways_to_sign_in_at_once(applied: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("databricks_client_secret", SECRET)
    found = levels(applied)
    assert "fail" in found["settings"]
    assert found["identity"] == {"fail"}
    assert found["packs"] == found["database"] == {"ok"}


def test_settings_that_are_wrong_are_all_told(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("domain_db_connection_string", f"mysql://{SECRET}")
    monkeypatch.setenv("databricks_in_flight", SECRET)
    found = findings(bench.run("doctor", "--format", "json"))
    assert [each["level"] for each in found.pop("settings")] == ["fail", "fail"]
    assert found == {}


def test_a_remote_that_does_not_exist(applied: Bench) -> None:
    applied.git("remote", "add", "origin", str(applied.repository.parent / "no such repository"))
    found = levels(applied)
    assert found["fetch"] == {"fail"}
    assert found["commit"] == found["packs"] == {"ok"}
