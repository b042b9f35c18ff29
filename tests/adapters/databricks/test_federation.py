"""Signing in from a GitHub Actions job: by its ID token, asked for once."""

from collections.abc import Iterator

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform, limiter
from reconciler.core.calls import CreateShare, DeleteShare
from reconciler.core.key import share_key
from reconciler.sandbox import ControlClient, Sandbox, Seed
from tests.adapters.databricks.conftest import refusal
from tests.workflows.id_tokens import IdTokens, issuing

SUBJECT = "repo:acme/packs:environment:production"
SEED = f"""\
principals:
  admin@sandbox.example: {{token: admin, admin: true}}
  deployer@sandbox.example:
    client_id: deployer
    federated_subject: "{SUBJECT}"
    privileges: [CREATE_SHARE]
"""
FROM_A_JOB = {"client_id": SecretStr("deployer"), "auth_type": SecretStr("github-oidc")}


@pytest.fixture(scope="module")
def workspace() -> Iterator[str]:
    with Sandbox(Seed.from_yaml(SEED)).serving() as url:
        yield url


@pytest.fixture
def tokens(monkeypatch: pytest.MonkeyPatch) -> Iterator[IdTokens]:
    with issuing() as made:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", made.url)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", made.admit(SUBJECT))
        yield made


async def test_one_token_is_enough_for_many_calls(workspace: str, tokens: IdTokens) -> None:
    control = ControlClient(workspace)
    control.reset()
    control.clear_log()
    platform = DatabricksPlatform(FROM_A_JOB)
    try:
        for name in ("a", "b", "c"):
            await platform.perform(CreateShare(share_key(name, workspace)))
            await platform.perform(DeleteShare(share_key(name, workspace)))
    finally:
        await platform.close()
    asked = [each["path"] for each in control.log()]
    assert sum(path.startswith("/api/") for path in asked) == 6
    assert sum(path.endswith("/v1/token") for path in asked) == 1


async def test_a_job_that_may_not_have_id_tokens_is_refused(workspace: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("ACTIONS_ID_TOKEN_REQUEST_URL", raising=False)
    platform = DatabricksPlatform(FROM_A_JOB)
    try:
        failure = await refusal(platform, CreateShare(share_key("q1", workspace)))
    finally:
        await platform.close()
    assert "github-oidc" in failure.reason


async def test_a_job_of_another_environment_is_refused(
    workspace: str, tokens: IdTokens, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(limiter, "SHUT_FOR", 0.0)
    monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", tokens.admit("repo:acme/packs:environment:other"))
    platform = DatabricksPlatform(FROM_A_JOB)
    try:
        failure = await refusal(platform, CreateShare(share_key("q1", workspace)))
    finally:
        await platform.close()
    assert "cannot sign in" in failure.reason
    assert "invalid_client" in failure.reason
