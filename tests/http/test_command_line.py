"""What the command line makes and answers is what the API takes and answers."""

import asyncio

import pytest
from click.testing import CliRunner

from reconciler.cli import cli
from tests.http.api import Api
from tests.journeys.packs import FINANCE, SALES


@pytest.fixture
def _settings(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("domain_db_connection_string", api.journey.database_url)


async def sharepack(*arguments: str) -> str:
    done = await asyncio.to_thread(CliRunner().invoke, cli, arguments, prog_name="sharepack")
    assert done.exit_code == 0, done.output
    return done.stdout_bytes.decode()


@pytest.mark.usefixtures("_settings")
async def test_a_key_of_the_command_line_opens_its_lines_until_it_is_revoked(api: Api) -> None:
    api.journey.save("sales.yaml", SALES)
    api.journey.save("finance.yaml", FINANCE)
    await api.journey.converge()
    key = (await sharepack("keys", "create", "portal", "--line", "sales OPERATIONS", "--expires", "1h")).strip()
    shown = {"X-API-Key": key}
    answer = await api.ask("/workflow/access?format=csv", headers=shown)
    assert answer.status == 200
    assert "sales-analyst" in answer.text
    assert "external-auditor" not in answer.text
    assert answer.text == await sharepack("access", "--line", "Sales Operations", "--format", "csv")
    asked = "/workflow/access?object=catalog.schema.revenue_table&format=csv"
    assert (await api.ask(asked, headers=shown)).text.count("\r\n") == 1
    assert (await api.upload(SALES, headers=shown)).status == 403
    await sharepack("keys", "revoke", key)
    assert (await api.ask("/workflow/access", headers=shown)).status == 401


@pytest.mark.usefixtures("_settings")
async def test_a_key_that_may_write_hands_in_packs(api: Api) -> None:
    key = (await sharepack("keys", "create", "portal", "--write", "--all-lines")).strip()
    assert (await api.upload(SALES, headers={"Authorization": f"Bearer {key}"})).status == 202
