"""What the canary flies over: a repository, a sandbox, a database and a queue of one test alone, with secrets that can
be recognised; and commands run in this process or in their own, with all they say kept."""

import asyncio
import base64
import logging
import os
import secrets
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path

import asyncpg
import pytest
from click.testing import CliRunner
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

import reconciler.sandbox
from reconciler.adapters.embedded import running
from reconciler.cli import COMMANDS, cli
from reconciler.sandbox import ControlClient, Sandbox, Seed
from reconciler.settings import Settings
from tests.azurite import Azurite
from tests.forked import Forking
from tests.journeys import canary_process
from tests.journeys.canaries import Heard
from tests.journeys.canary_process import WORD, always, recognisable
from tests.journeys.journey import git
from tests.journeys.packs import SALES

PATIENCE = 240
UC = "/api/2.1/unity-catalog"
#: Harmless, and in as many places as a secret could be: the search must find it.
MARKER = "harmlessmarker"
TOKEN = f"dapi-{WORD}-of-the-administrator"
CLIENT_SECRET = f"{WORD}-of-the-client"
PASSWORD = f"{WORD}-of-the-database"
QUEUE_KEY = base64.b64encode(f"{WORD}-of-the-queue-account".encode()).decode()
GITHUB_TOKEN = f"ghs_{WORD}OfTheWorkflow0123456789abcdef"
SHARING_CODE = f"{WORD}-sharing-code"
PARTNER = f"{MARKER}-partner"
SHARE = f"{MARKER}_share"
PACK = SALES.replace("sales-analyst", PARTNER).replace("sales_q1_share", SHARE)


@dataclass
class Flight:
    repository: Path
    outputs: Path
    url: str
    heard: Heard
    azurite: Azurite
    dsn: str
    #: Runs `canary_process`.
    program: str
    used: set[str] = field(default_factory=set)
    #: What `activation` printed: the one place where a link belongs.
    links: list[str] = field(default_factory=list)
    #: What `keys create` printed, likewise.
    keys: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.control = ControlClient(self.url)
        self.sdk = WorkspaceClient(config=Config(host=self.url, token=TOKEN, retry_timeout_seconds=5))

    def run(self, *arguments: str, code: int | None = 0, debug: bool = True) -> str:
        """In this process, where its exceptions can be looked at. Answers what it printed."""
        self.used |= COMMANDS.keys() & set(arguments)
        typed = ["--debug", *arguments] if debug else [*arguments]
        done = CliRunner().invoke(cli, typed, prog_name="sharepack")
        assert code is None or done.exit_code == code, f"{typed}: {done.exit_code}\n{done.output}\n{done.exception!r}"
        self.heard.say("output", done.stderr)
        if "activation" in arguments:
            self.links += done.stdout.split()
        elif arguments[:2] == ("keys", "create"):
            self.keys += done.stdout.split()
        else:
            self.heard.say("output", done.stdout)
        if done.exception is not None:
            self.heard.say_failure("exceptions", done.exception)
        return done.stdout

    def fails(self, *arguments: str) -> None:
        """Both as people see it and as --debug shows it."""
        for debug in (True, False):
            before = len(self.links)
            self.run(*arguments, code=1, debug=debug)
            assert len(self.links) == before

    def start(self, *arguments: str, **settings: str) -> "subprocess.Popen[str]":
        """In a process of its own."""
        self.used |= COMMANDS.keys() & set(arguments)
        return subprocess.Popen(
            [self.program, *arguments],
            cwd=self.repository,
            env=os.environ | settings,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )

    def end(self, process: "subprocess.Popen[str]", *, code: int = 0) -> str:
        output, errors = process.communicate(timeout=PATIENCE)
        assert process.returncode == code, f"{process.returncode}\n{output}\n{errors}"
        self.heard.say("output", output + errors)
        return output

    def save(self, **packs: str) -> None:
        for name, content in packs.items():
            (self.repository / "sharepacks" / f"{name}.yaml").write_text(content, encoding="utf-8")
        git(self.repository, "add", "--all")
        git(self.repository, "commit", "--quiet", "--allow-empty", "--message", "Change packs")


@pytest.fixture
def flight(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, forking: Forking) -> Iterator[Flight]:
    """All of it real and of this test alone, with secrets that can be recognised."""
    for name in list(os.environ):
        if name.lower() in Settings.model_fields or name.upper().startswith(("DATABRICKS_", "ARM_")):
            monkeypatch.delenv(name)
    monkeypatch.setattr(secrets, "token_urlsafe", recognisable)
    monkeypatch.setattr(logging.Logger, "isEnabledFor", always)
    monkeypatch.setenv("DATABRICKS_DEBUG_HEADERS", "true")
    monkeypatch.setenv("DATABRICKS_DEBUG_TRUNCATE_BYTES", "100000")
    monkeypatch.setenv("AZURITE_ACCOUNTS", f"canary:{QUEUE_KEY}")
    repository, outputs = tmp_path / "packs repository", tmp_path / "written files"
    (repository / "sharepacks").mkdir(parents=True)
    outputs.mkdir()
    git(repository, "init", "--quiet")
    (repository / ".gitignore").write_text(".sharepack/\n")
    azurite = Azurite(tmp_path / "azurite")
    with ExitStack() as stack:
        url = stack.enter_context(Sandbox(_seed()).serving())
        server = stack.enter_context(running(repository / ".sharepack", durable=False))
        stack.callback(azurite.kill)
        azurite.start()
        asyncio.run(_talkative(server.dsn))
        dsn = server.dsn.replace("postgres@", f"postgres:{PASSWORD}@")
        monkeypatch.setenv("domain_db_connection_string", dsn)
        monkeypatch.setenv("azure_queue_connection_string", queue_address(azurite.port))
        monkeypatch.setenv("databricks_host", url)
        monkeypatch.setenv("databricks_token", TOKEN)
        monkeypatch.chdir(repository)
        yield Flight(repository, outputs, url, Heard(), azurite, dsn, forking.running(canary_process.__file__))


def _seed() -> Seed:
    text = (Path(reconciler.sandbox.__file__).parent / "example.yaml").read_text(encoding="utf-8")
    text = text.replace("dapi-sandbox-admin", TOKEN).replace("sandbox-secret", CLIENT_SECRET)
    assert text.count(WORD) == 2
    return Seed.from_yaml(text)


def queue_address(port: int) -> str:
    endpoint = f"http://127.0.0.1:{port}/canary"
    return f"DefaultEndpointsProtocol=http;AccountName=canary;AccountKey={QUEUE_KEY};QueueEndpoint={endpoint};"


async def _talkative(dsn: str) -> None:
    """PostgreSQL logs every statement with its values, which the settings of the server keep out of its log."""
    connection = await asyncpg.connect(dsn)
    try:
        for setting in (
            "log_statement = 'all'",
            "log_error_verbosity = 'default'",
            "log_min_error_statement = 'error'",
        ):
            await connection.execute(f"ALTER DATABASE postgres SET {setting}")
    finally:
        await connection.close()
