"""No secret in any output: activation links, tokens and connection strings, through every command, at every log level,
in every file and table."""

import asyncio
import logging
import os
import subprocess
from pathlib import Path

import asyncpg
import pytest
from databricks.sdk.service.sharing import AuthenticationType, IpAccessList, RecipientInfo, RecipientTokenInfo
from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.adapters.databricks.reading import found_recipient
from reconciler.core.desired import Desired, Revision
from reconciler.core.key import PackId, recipient_key
from reconciler.core.pack import Declared, SharePack
from reconciler.core.planning import World, make_plan
from reconciler.core.problem import Where
from reconciler.core.recipient import Recipient, TokenSharing
from reconciler.core.recorded import RecordedState
from reconciler.render.calls import calls_text
from reconciler.render.lines import PLAIN
from reconciler.render.plan_json import plan_json
from reconciler.render.plan_text import plan_text
from tests.cli.conftest import Bench
from tests.drawing import examples
from tests.forked import Forking

SETTINGS_TOKEN = "dapi-sandbox-admin"
PATIENCE = 120
#: The digits in front keep a secret from being a word of the product, which is told rightly.
secrets = st.text(
    alphabet="ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_", min_size=16, max_size=40
).map("4711{}".format)


@settings(max_examples=examples(50, 300), deadline=None)
@given(secrets, secrets, st.booleans(), st.sampled_from(["", "a comment", "another"]))
def test_whatever_databricks_tells_of_a_recipient_no_rendering_holds_its_secrets(
    link: str, code: str, is_adopted: bool, comment: str
) -> None:
    info = RecipientInfo(
        name="acme",
        authentication_type=AuthenticationType.TOKEN,
        activation_url=f"https://w.example/delta_sharing/retrieve_config.html?{link}",
        sharing_code=code,
        comment=comment,
        ip_access_list=IpAccessList(["203.0.113.0/24"]),
        tokens=[RecipientTokenInfo(activation_url=f"https://w.example/retrieve_config.html?{link}", id="1")],
    )
    found = found_recipient("acme", info)
    pack, key = PackId.of("Sales", "Q1"), recipient_key("acme", "https://w.example")
    wanted = Recipient("acme", TokenSharing(), "a@b.example", frozenset(), "a comment")
    declared = SharePack(
        pack, "q1.yaml", "x@y.example", key.workspace, {key: Declared(wanted, Where("q1.yaml"), is_adopted)}
    )
    desired = Desired(Revision("c" * 40, is_committed=True), {pack: declared})
    plan = make_plan(desired, {pack}, World(RecordedState(), {key: found}, now=0))
    outputs = [
        repr(found),
        repr(plan),
        plan_text(plan, PLAIN),
        plan_json(plan, with_calls=True),
        calls_text(plan, PLAIN),
    ]
    for output in outputs:
        assert link not in output
        assert code not in output


def test_no_command_lets_a_secret_out(
    bench: Bench, database_url: str, tmp_path: Path, caplog: pytest.LogCaptureFixture, forking: Forking
) -> None:
    caplog.set_level(logging.DEBUG)
    for name in list(logging.root.manager.loggerDict):
        caplog.set_level(logging.DEBUG, logger=name)
    plan, picture, page = tmp_path / "plan.json", tmp_path / "plan.svg", tmp_path / "plan.html"
    commands = [
        ["plan", "--calls", "--full", "--out", str(plan), "--svg", str(picture), "--html", str(page)],
        ["apply", "--auto-approve"],
        ["plan", "--format", "json"],
        ["status", "--drift"],
        ["status", "--format", "json"],
        ["history", "recipient/sales-analyst"],
        ["history", "recipient/sales-analyst", "--format", "json"],
        ["validate", "--format", "sarif"],
    ]
    heard = ""
    for command in commands:
        done = bench.run(*command)
        heard += done.stdout + done.stderr
    link = bench.run("activation", "sales-analyst").stdout
    secret = link.strip().rpartition("?")[2]
    assert len(secret) > 20
    broken = _outside(
        bench, forking, "plan", domain_db_connection_string="postgresql://u:hunter2-of-old@127.0.0.1:1/db"
    )
    heard += _outside(bench, forking, "--debug", "activation", "nobody") + _outside(
        bench, forking, "--debug", "history", "share/none"
    )
    heard += broken + _outside(bench, forking, "--debug", "plan", databricks_token="dapi-wrong-secret-0815")
    heard += caplog.text + plan.read_text() + picture.read_text() + asyncio.run(_everything(database_url))
    for folder in (bench.repository, tmp_path):
        for path in folder.rglob("*"):
            if path.is_file():
                heard += path.read_bytes().decode("utf-8", "replace")
    for known in (secret, SETTINGS_TOKEN, "hunter2-of-old", "dapi-wrong-secret-0815"):
        assert known not in heard


def _outside(bench: Bench, forking: Forking, *arguments: str, **changed: str) -> str:
    """In a process of its own, with other settings."""
    environment = {**os.environ, **changed}
    if "databricks_token" in changed:
        environment["DATABRICKS_TOKEN"] = changed["databricks_token"]
    process = subprocess.run(
        [forking.sharepack, *arguments],
        cwd=bench.repository,
        env=environment,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    return process.stdout + process.stderr


async def _everything(database_url: str) -> str:
    """All tables as text."""
    connection = await asyncpg.connect(database_url)
    try:
        tables = await connection.fetch(
            "SELECT format('%I.%I', schemaname, tablename) FROM pg_tables "
            "WHERE schemaname IN ('deltashare', 'reconciler')"
        )
        rows = [await connection.fetch(f"SELECT t::text FROM {table[0]} AS t") for table in tables]
    finally:
        await connection.close()
    assert len(rows) >= 20
    return "\n".join(row[0] for table in rows for row in table)
