"""One workspace for the journeys of a module, with the database that the tests of a worker share."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from reconciler.sandbox import ControlClient, Sandbox, Seed
from reconciler.sandbox.seed import example_text
from tests.forked import Forking
from tests.github.stand_in import StandIn, standing_in
from tests.workflows.hub import Hub
from tests.workflows.id_tokens import IdTokens, issuing
from tests.workflows.scene import PRINCIPALS, Scene, furnish, workflow_files


@pytest.fixture(scope="module")
def workspace_url() -> Iterator[str]:
    known = "\n".join(f"  {name}: {about}" for name, about in PRINCIPALS.items())
    text = example_text().replace("principals:\n", f"principals:\n{known}\n", 1)
    # Who plans sees the tables, and may change nothing.
    owners = "      data-owners: [ALL_PRIVILEGES]\n"
    assert owners in text
    seed = Seed.from_yaml(text.replace(owners, f"{owners}      data-readers: [USE_CATALOG]\n", 1))
    with Sandbox(seed).serving() as url:
        yield url


@pytest.fixture(scope="module")
def id_tokens() -> Iterator[IdTokens]:
    with issuing() as tokens:
        yield tokens


@pytest.fixture(scope="session")
def sharepack(forking: Forking) -> Path:
    return Path(forking.sharepack)


@pytest.fixture
def github(tmp_path: Path) -> Iterator[StandIn]:
    """A packs repository with the workflows, people, and not a single pack."""
    with standing_in(tmp_path / "github") as made:
        for login, role in (("ada", "write"), ("rita", "write"), ("mallory", "read")):
            made.user(login, role=role)
        made.commit("main", {**workflow_files(), "sharepacks/README.md": "Packs.\n"}, "Begin")
        yield made


@pytest.fixture
def hub(github: StandIn, tmp_path: Path, id_tokens: IdTokens) -> Hub:
    return Hub(github, tmp_path / "the runners", id_tokens)


@pytest.fixture
def scene(hub: Hub, workspace_url: str, migrated_database_url: str, sharepack: Path) -> Iterator[Scene]:
    control = ControlClient(workspace_url)
    hub.sharepack = sharepack
    control.reset()
    furnish(hub, workspace_url, migrated_database_url)
    yield Scene(hub.github, hub, control, migrated_database_url)
    control.reset()
