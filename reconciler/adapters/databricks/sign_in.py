"""Signing in, which the SDK does without a timeout, and whose failures it tells as text only: bounded here, and a
token endpoint that is down is told from one that refuses."""

from types import ModuleType
from typing import Any, Final

import requests
from databricks.sdk import oauth, oidc_token_supplier

#: Seconds for one request for a token.
_TIMEOUT: Final = 20.0


def bound_sign_in() -> None:
    """The SDK's modules for tokens see `_Bounded` in the place of `requests`. Doing it twice is fine."""
    for module in (oauth, oidc_token_supplier):
        if not isinstance(module.__dict__["requests"], _Bounded):
            module.__dict__["requests"] = _Bounded("requests")


class _Bounded(ModuleType):
    def __getattr__(self, name: str) -> Any:
        return getattr(requests, name)

    def post(self, url: str, *args: Any, **options: Any) -> requests.Response:
        return _answered(requests.post(url, *args, timeout=options.pop("timeout", _TIMEOUT), **options))

    def get(self, url: str, *args: Any, **options: Any) -> requests.Response:
        return _answered(requests.get(url, *args, timeout=options.pop("timeout", _TIMEOUT), **options))


def _answered(response: requests.Response) -> requests.Response:
    """Raises what a connection that fails raises when the answer only says that nobody can answer now."""
    status = response.status_code
    if status == 429 or status >= 500:
        raise requests.exceptions.ConnectionError(status, f"signing in was answered with HTTP {status}")
    return response
