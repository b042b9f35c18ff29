"""Who is calling: bearer tokens of the seed, and those handed out for client credentials (OAuth M2M)."""

import base64
import binascii
import secrets
from urllib.parse import parse_qs

from reconciler.sandbox.errors import ApiError
from reconciler.sandbox.records import Principal
from reconciler.sandbox.state import State
from reconciler.sandbox.wire import ApiRequest, Reply, json_reply

_LIFETIME_SECONDS = 3600


class Sessions:
    def __init__(self, state: State) -> None:
        self._state = state
        self._by_token = {token: each for each in state.seed.principals for token in each.tokens}
        self._by_client = {each.client_id: each for each in state.seed.principals if each.client_id}
        #: access token → its principal and its end in epoch milliseconds
        self._issued: dict[str, tuple[Principal, int]] = {}

    def caller(self, authorization: str | None) -> Principal:
        """Raises 401 without a bearer token, 403 for one nobody has."""
        scheme, _, token = (authorization or "").partition(" ")
        if scheme.lower() != "bearer" or not token:
            raise ApiError(
                401, "UNAUTHENTICATED", "Credential was not sent or was of an unsupported type for this API."
            )
        known = self._by_token.get(token)
        if known is not None:
            return known
        principal, ends_at = self._issued.get(token, (None, 0))
        if principal is None:
            raise ApiError(403, "403", "Invalid access token.")
        if ends_at <= self._state.clock.now():
            raise ApiError(401, "UNAUTHENTICATED", "Token is expired")
        return principal

    def issue(self, request: ApiRequest) -> Reply:
        """The token endpoint: client id and secret as Basic authentication or in the form."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
        if form.get("grant_type") != "client_credentials":
            return _refused(400, "unsupported_grant_type", "grant_type must be client_credentials")
        client, secret = _basic(request.headers.get("Authorization")) or (
            form.get("client_id", ""),
            form.get("client_secret", ""),
        )
        principal = self._by_client.get(client)
        if principal is None or not secrets.compare_digest(principal.client_secret or "", secret):
            return _refused(401, "invalid_client", "Client authentication failed")
        now = self._state.clock.now()
        self._issued = {each: held for each, held in self._issued.items() if held[1] > now}
        token = secrets.token_urlsafe(32)
        self._issued[token] = (principal, now + _LIFETIME_SECONDS * 1000)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": _LIFETIME_SECONDS, "scope": "all-apis"}
        return json_reply(answer)


def _basic(authorization: str | None) -> tuple[str, str] | None:
    scheme, _, given = (authorization or "").partition(" ")
    if scheme.lower() != "basic":
        return None
    try:
        client, _, secret = base64.b64decode(given, validate=True).decode().partition(":")
    except (binascii.Error, UnicodeDecodeError):
        return None
    return client, secret


def _refused(status: int, error: str, description: str) -> Reply:
    return json_reply({"error": error, "error_description": description}, status)
