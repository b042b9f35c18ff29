"""Who is calling: bearer tokens of the seed, and those handed out for client credentials (OAuth M2M)."""

import base64
import binascii
import json
import secrets
import time
from collections.abc import Mapping
from typing import Any
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
        """The token endpoint: for client id and secret (Basic or in the form), or for the token of another issuer."""
        form = {name: values[0] for name, values in parse_qs(request.body.decode(errors="replace")).items()}
        match form.get("grant_type"):
            case "client_credentials":
                principal = self._with_secret(request, form)
            case "urn:ietf:params:oauth:grant-type:token-exchange":
                principal = self._federated(form)
            case _:
                words = "grant_type must be client_credentials or token-exchange"
                return _refused(400, "unsupported_grant_type", words)
        if principal is None:
            return _refused(401, "invalid_client", "Client authentication failed")
        return self._session(principal)

    def _with_secret(self, request: ApiRequest, form: Mapping[str, str]) -> Principal | None:
        client, secret = _basic(request.headers.get("Authorization")) or (
            form.get("client_id", ""),
            form.get("client_secret", ""),
        )
        principal = self._by_client.get(client)
        if principal is None or principal.client_secret is None:
            return None
        return principal if secrets.compare_digest(principal.client_secret, secret) else None

    def _federated(self, form: Mapping[str, str]) -> Principal | None:
        """The principal whose federation policy names the subject of a token that has not ended. Its signature is taken
        on trust: here is nobody to ask for keys."""
        principal = self._by_client.get(form.get("client_id", ""))
        claims = _claims(form.get("subject_token", ""))
        if principal is None or principal.federated_subject is None or claims.get("exp", 0) * 1000 <= _now_ms():
            return None
        return principal if claims.get("sub") == principal.federated_subject else None

    def _session(self, principal: Principal) -> Reply:
        now = self._state.clock.now()
        self._issued = {each: held for each, held in self._issued.items() if held[1] > now}
        token = secrets.token_urlsafe(32)
        self._issued[token] = (principal, now + _LIFETIME_SECONDS * 1000)
        answer = {"access_token": token, "token_type": "Bearer", "expires_in": _LIFETIME_SECONDS, "scope": "all-apis"}
        return json_reply(answer)


def _claims(token: str) -> Mapping[str, Any]:
    """Of a JSON web token; nothing when it is none."""
    payload = token.split(".")[1:2]
    try:
        found = json.loads(base64.urlsafe_b64decode(payload[0] + "=" * (-len(payload[0]) % 4))) if payload else {}
    except ValueError:
        return {}
    return found if isinstance(found, dict) else {}


def _now_ms() -> float:
    """Tokens of others end by the real clock, not by the sandbox's."""
    return time.time() * 1000


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
