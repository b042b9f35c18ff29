"""Signing in with the ID token of a GitHub Actions job. The SDK (0.156) would ask GitHub for a token and exchange it
anew before every single call; here what was got for it is kept until it ends."""

from typing import Final

from databricks.sdk import oidc
from databricks.sdk.config import Config
from databricks.sdk.credentials_provider import CredentialsProvider, credentials_strategy, oidc_credentials_provider
from databricks.sdk.oidc_token_supplier import GitHubOIDCTokenSupplier

#: As the SDK calls it.
GITHUB: Final = "github-oidc"


@credentials_strategy(GITHUB, ["host", "client_id"])  # type: ignore[untyped-decorator]
def github_jobs(config: Config) -> CredentialsProvider | None:
    """None where there is no such job, or it may not have ID tokens."""
    return oidc_credentials_provider(config, _IdTokens(config))


class _IdTokens(oidc.IdTokenSource):
    def __init__(self, config: Config) -> None:
        self._config = config

    def id_token(self) -> oidc.IdToken:
        endpoints = self._config.databricks_oidc_endpoints
        audience = self._config.token_audience or (endpoints.token_endpoint if endpoints else "")
        token = GitHubOIDCTokenSupplier().get_oidc_token(audience)
        if not token:
            raise ValueError("GitHub gives this job no ID token; it needs the permission id-token: write")
        return oidc.IdToken(jwt=token)
