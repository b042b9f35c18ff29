"""Who calls: API keys and tokens to a `Caller` with rights, or a refusal that tells nobody how close they were. What a
caller may then see is decided where it is shown."""

import hmac
from collections.abc import Mapping, Sequence
from contextlib import suppress
from datetime import datetime, timedelta
from typing import Annotated, Any, Final

from fastapi import Depends, Request, Security
from fastapi.security import APIKeyHeader, HTTPBearer
from starlette.types import Scope

from reconciler.core.api_key import MARK, read_key
from reconciler.core.permits import Caller, Right, caller
from reconciler.http.headers import Network, client_address, header, networks
from reconciler.http.limits import RateLimit, too_often
from reconciler.http.oidc import Issuer
from reconciler.http.parts import Parts
from reconciler.http.problems import HttpError
from reconciler.http.surroundings import CALLER
from reconciler.ports.keyring import ApiKey, Keyring
from reconciler.ports.ledger_errors import LedgerError
from reconciler.settings import Settings

#: Compared with what no key has, so that an unknown key takes as long as a wrong one.
_NO_DIGEST: Final = bytes(32)
_USED_EVERY: Final = timedelta(minutes=1)
_LONGEST_NAME: Final = 200


class Doorkeeper:
    def __init__(self, parts: Parts, issuer: Issuer | None = None) -> None:
        settings = parts.settings
        self._parts = parts
        self._keys = _Keys(parts.keyring)
        self._issuer = issuer or _issuer(settings)
        self._trusted: Sequence[Network] = networks(settings.api_trusted_proxies)
        self._rate = RateLimit(settings.api_rate_per_minute)
        self._failures = RateLimit(settings.api_rate_per_minute)

    async def admit(self, scope: Scope, credential: str | None = None) -> Caller:
        """Who sends this request; `credential` instead of what its headers hold. Raises HttpError (401, 429), and
        LedgerError."""
        address = client_address(scope, self._trusted)
        given = _credential(scope) if credential is None else credential
        if given is None:
            return self._counted(scope, self._anonymous(), f"from {address}")
        if self._failures.is_spent(address):
            raise too_often(max(1, self._failures.wait(address)))
        found = await self.known(given)
        if found is None:
            self._failures.wait(address)
            raise _refused()
        return self._counted(scope, found, found.name)

    async def known(self, credential: str) -> Caller | None:
        """Whose key or token this is; None: nobody's, or not any more."""
        if credential.startswith(MARK) or self._issuer is None:
            return await self._keys.caller(credential, self._parts.clock.now())
        claims = await self._issuer.claims(credential)
        return None if claims is None else self._bearer(claims)

    def _counted(self, scope: Scope, found: Caller, name: str) -> Caller:
        scope.setdefault("state", {})[CALLER] = found.name
        if (seconds := self._rate.wait(name)) > 0:
            raise too_often(seconds)
        return found

    def _anonymous(self) -> Caller:
        allowed = self._parts.settings.api_anonymous
        if not allowed:
            raise _refused()
        return Caller("anonymous", Right(allowed))

    def _bearer(self, claims: Mapping[str, Any]) -> Caller | None:
        settings = self._parts.settings
        roles = _texts(claims.get(settings.api_oidc_roles_claim))
        right = Right.WRITE if "sharepack.write" in roles else Right.READ if "sharepack.read" in roles else None
        if right is None:
            return None
        lines = _texts(claims.get(settings.api_oidc_lines_claim), separator=",")
        names = (claims.get(each) for each in ("preferred_username", "email", "sub"))
        name = next((each for each in names if isinstance(each, str) and each.strip()), "a token without a name")
        return caller(_plain(name), right, None if "*" in lines else lines)


class _Keys:
    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._used_at: dict[str, datetime] = {}

    async def caller(self, credential: str, now: datetime) -> Caller | None:
        given = read_key(credential)
        if given is None:
            return None
        found = await self._keyring.find(given.id)
        key, digest = (None, _NO_DIGEST) if found is None else found
        is_right = hmac.compare_digest(given.digest, digest)
        if key is None or not is_right or not _is_valid(key, now):
            return None
        await self._mark_used(key.id, now)
        return caller(f"key {_plain(key.name)} ({key.id})", key.right, key.lines)

    async def _mark_used(self, key_id: str, now: datetime) -> None:
        last = self._used_at.get(key_id)
        if last is None or now - last >= _USED_EVERY:
            self._used_at[key_id] = now
            # When a key was used is good to know, and nothing to fail for.
            with suppress(LedgerError):
                await self._keyring.used(key_id)


def _is_valid(key: ApiKey, now: datetime) -> bool:
    return key.revoked_at is None and (key.expires_at is None or now < key.expires_at)


def _issuer(settings: Settings) -> Issuer | None:
    settings.check_oidc()
    return Issuer(settings.api_oidc_issuer, settings.api_oidc_audience) if settings.api_oidc_issuer else None


def _credential(scope: Scope) -> str | None:
    """What a request shows; None: nothing. API Management hands its own subscription keys on in a header that may hold
    one of ours as well."""
    authorization = _text(scope, b"authorization")
    if authorization is not None:
        scheme, _, rest = authorization.partition(" ")
        return rest.strip() if scheme.lower() == "bearer" else ""
    key = _text(scope, b"x-api-key")
    if key is not None:
        return key
    subscription = _text(scope, b"ocp-apim-subscription-key")
    return subscription if subscription is not None and subscription.startswith(MARK) else None


def _text(scope: Scope, name: bytes) -> str | None:
    """Several that differ are none that anybody could be known by."""
    if not any(key == name for key, _ in scope["headers"]):
        return None
    return (header(scope, name) or b"").decode("latin-1").strip()


def _texts(claim: object, separator: str = " ") -> frozenset[str]:
    """A claim that is a list of texts, or one text with several in it."""
    listed = claim.split(separator) if isinstance(claim, str) else claim if isinstance(claim, list) else []
    return frozenset(each.strip() for each in listed if isinstance(each, str) and each.strip())


def _plain(name: str) -> str:
    """On one line, for logs and commit messages."""
    return "".join(char for char in " ".join(name.split()) if char.isprintable())[:_LONGEST_NAME]


def _refused() -> HttpError:
    detail = "this needs a valid API key or token: send the header X-API-Key, or Authorization: Bearer"
    return HttpError(401, detail, kind="unauthenticated", headers={"WWW-Authenticate": 'Bearer realm="sharepack"'})


def _schemes(
    _key: Annotated[object, Security(APIKeyHeader(name="X-API-Key", scheme_name="ApiKey", auto_error=False))],
    _subscription: Annotated[
        object,
        Security(APIKeyHeader(name="Ocp-Apim-Subscription-Key", scheme_name="SubscriptionKey", auto_error=False)),
    ],
    _bearer: Annotated[
        object, Security(HTTPBearer(scheme_name="Bearer", auto_error=False, description="API key or OIDC token"))
    ],
) -> None:
    """For the OpenAPI document alone: what they find is not looked at."""


async def _reader(request: Request, _said: Annotated[None, Depends(_schemes)]) -> Caller:
    doorkeeper: Doorkeeper = request.app.state.doorkeeper
    return await doorkeeper.admit(request.scope)


async def _writer(found: Annotated[Caller, Depends(_reader)]) -> Caller:
    if found.right is not Right.WRITE:
        raise HttpError(403, "this key or token may only read; ask for one that may write", kind="read-only")
    return found


Reader = Annotated[Caller, Depends(_reader)]
Writer = Annotated[Caller, Depends(_writer)]
