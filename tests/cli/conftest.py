"""A repository with one pack, a sandbox and a database, and the settings that point at them."""

import os
import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from textwrap import dedent

import pytest
from click.testing import CliRunner, Result

from reconciler.cli import cli
from reconciler.sandbox import ControlClient, Sandbox, Seed
from reconciler.settings import Settings
from tests.repositories import begin

PACK = dedent("""\
    metadata:
      requestor: john.doe@jll.com
      project_name: "Sales Data Q1 2024"
      business_line: "Sales Operations"
    recipient:
      - name: sales-analyst
        type: D2O
        email: analyst@partner.com
        allowed_ips: [192.168.1.0/24]
    share:
      - name: sales_q1_share
        comment: "Q1 sales data"
        recipients: [sales-analyst]
        data_objects:
          - prod_catalog.sales.transactions
          - prod_catalog.sales.customers
    """)


@dataclass(frozen=True, slots=True)
class Bench:
    repository: Path
    control: ControlClient

    @property
    def pack(self) -> Path:
        return self.repository / "sharepacks" / "sales" / "q1.yaml"

    def run(self, *arguments: str) -> Result:
        return CliRunner().invoke(cli, arguments, prog_name="sharepack", catch_exceptions=False)

    def git(self, *arguments: str) -> None:
        settings = ["-c", "user.name=Pat", "-c", "user.email=pat@example.com", "-c", "init.defaultBranch=main"]
        settings += ["-c", "maintenance.auto=false"]
        subprocess.run(["git", *settings, *arguments], cwd=self.repository, check=True, capture_output=True)

    def commit(self) -> None:
        self.git("add", "--all")
        self.git("commit", "--quiet", "--message", "Change packs")

    def writes(self) -> list[str]:
        return [f"{each['method']} {each['path']}" for each in self.control.log(writes_only=True)]


@pytest.fixture
def no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """An empty folder to be in, with no settings of the machine's."""
    for name in list(os.environ):
        if name.lower() in Settings.model_fields or name.upper().startswith(("DATABRICKS_", "ARM_")):
            monkeypatch.delenv(name)
    home = tmp_path / "home of nobody"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.chdir(home)
    return home


@pytest.fixture(scope="module")
def sandbox_url() -> Iterator[str]:
    with Sandbox(Seed.example()).serving() as url:
        yield url


@pytest.fixture
def database_url(migrated_database_url: str) -> str:
    """Commands find the tables there; that they make them is shown by those in processes of their own."""
    return migrated_database_url


@pytest.fixture
def bench(no_settings: Path, sandbox_url: str, database_url: str, monkeypatch: pytest.MonkeyPatch) -> Iterator[Bench]:
    control = ControlClient(sandbox_url)
    control.reset()
    control.clear_log()
    made = Bench(no_settings / "packs repository", control)

    def make() -> None:
        made.pack.parent.mkdir(parents=True)
        made.pack.write_text(PACK, encoding="utf-8")
        made.git("init", "--quiet")
        made.commit()

    begin(no_settings, [made.repository.name], "commands", make)
    monkeypatch.setenv("domain_db_connection_string", database_url)
    monkeypatch.setenv("databricks_host", sandbox_url)
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-sandbox-admin")
    monkeypatch.chdir(made.repository)
    yield made
    control.reset()
