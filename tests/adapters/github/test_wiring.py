"""From settings to pull requests; and that nothing else waits for the library."""

import subprocess
import sys

import pytest

from reconciler import wiring
from reconciler.settings import Settings, SettingsError
from tests.adapters.github.conftest import PERMISSIONS, opened
from tests.github.stand_in import StandIn


@pytest.fixture(autouse=True)
def _nothing_around(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_TOKEN", "GH_TOKEN", "GITHUB_API_URL"):
        monkeypatch.delenv(name, raising=False)


async def test_a_token_from_the_environment(github: StandIn, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GITHUB_TOKEN", github.workflow_token(PERMISSIONS))
    monkeypatch.setenv("GITHUB_API_URL", github.api_url)
    number = opened(github)
    pulls = wiring.pull_requests(Settings.load(), github.repository)
    assert (await pulls.get(number)).number == number
    await pulls.close()


async def test_an_app_from_settings(github: StandIn) -> None:
    app = github.app("sharepack-acme", PERMISSIONS)
    settings = Settings.load(
        github_app_id=app.id, github_app_private_key=app.private_key, github_api_url=github.api_url
    )
    pulls = wiring.pull_requests(settings, github.repository)
    assert await pulls.open_ones() == []
    await pulls.close()


def test_no_way_to_sign_in() -> None:
    with pytest.raises(SettingsError, match="github_token: is missing; give GITHUB_TOKEN"):
        wiring.pull_requests(Settings.load(), "acme/packs")


def test_a_repository_without_an_owner() -> None:
    with pytest.raises(SettingsError, match="'packs' is not a repository of GitHub; write OWNER/REPOSITORY"):
        wiring.pull_requests(Settings.load(github_token="ghs_x"), "packs")


def test_the_library_is_imported_by_the_adapter_only() -> None:
    """It takes half a second."""
    code = "import sys, reconciler.wiring, reconciler.adapters.github.credentials; sys.exit('github' in sys.modules)"
    subprocess.run([sys.executable, "-c", code], check=True)
