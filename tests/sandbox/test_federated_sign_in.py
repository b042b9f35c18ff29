"""Signing in with the token of another issuer, as a workflow on GitHub does, without a secret that is kept."""

from collections.abc import Iterator

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

from reconciler.sandbox import Sandbox, Seed
from tests.sandbox.plain import Plain
from tests.workflows.id_tokens import id_token, issuing

SUBJECT = "repo:acme/packs:environment:production"
SEED = f"""\
principals:
  admin@sandbox.example: {{token: admin, admin: true}}
  deployer@sandbox.example: {{client_id: deployer, federated_subject: "{SUBJECT}"}}
  other@sandbox.example: {{client_id: other}}
"""


@pytest.fixture(scope="module")
def workspace_url() -> Iterator[str]:
    with Sandbox(Seed.from_yaml(SEED)).serving() as url:
        yield url


def test_the_sdk_signs_in_with_a_token_of_github(workspace_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with issuing() as tokens:
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_URL", tokens.url)
        monkeypatch.setenv("ACTIONS_ID_TOKEN_REQUEST_TOKEN", tokens.admit(SUBJECT))
        config = Config(host=workspace_url, client_id="deployer", auth_type="github-oidc", retry_timeout_seconds=5)
        assert WorkspaceClient(config=config).current_user.me().user_name == "deployer@sandbox.example"


@pytest.mark.parametrize(
    ("client", "token"),
    [
        ("deployer", id_token("repo:acme/packs:pull_request", "any")),
        ("deployer", id_token(SUBJECT, "any", seconds=-1)),
        ("deployer", "no.token"),
        ("deployer", ""),
        ("other", id_token(SUBJECT, "any")),
        ("nobody", id_token(SUBJECT, "any")),
    ],
)
def test_nobody_else_signs_in_by_it(workspace_url: str, client: str, token: str) -> None:
    form = f"grant_type=urn:ietf:params:oauth:grant-type:token-exchange&client_id={client}&subject_token={token}"
    answer = Plain(workspace_url, None).call("POST", "/oidc/v1/token", form.encode())
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")


def test_who_has_no_secret_does_not_sign_in_with_an_empty_one(workspace_url: str) -> None:
    form = b"grant_type=client_credentials&client_id=deployer&client_secret="
    assert Plain(workspace_url, None).call("POST", "/oidc/v1/token", form).status == 401
