"""Tokens of an OpenID Connect issuer: fetches its keys and checks what a token claims. Which claims give which rights
is decided in `auth`."""

import asyncio
import json
import time
from collections.abc import Callable, Mapping
from typing import Any, Final
from urllib.parse import urlsplit

import aiohttp
import jwt
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from reconciler.http.problems import HttpError

#: No symmetric ones: their key would be a public one.
ALGORITHMS: Final = ("RS256", "ES256")
SKEW_SECONDS: Final = 60
_FRESH_SECONDS: Final = 3600.0
#: Between two fetches, whatever tokens say.
_PAUSE_SECONDS: Final = 30.0
_FETCH_SECONDS: Final = 5.0
_MOST_BYTES: Final = 1_000_000
_LONGEST_TOKEN: Final = 16_384
_LEAST_RSA_BITS: Final = 2048


class Issuer:
    def __init__(self, issuer: str, audience: str, clock: Callable[[], float] = time.monotonic) -> None:
        self._issuer = issuer
        self._audience = audience
        self._clock = clock
        self._keys: Mapping[str, jwt.PyJWK] = {}
        self._fetched_at = float("-inf")
        self._tried_at = float("-inf")
        self._fetching = asyncio.Lock()

    async def claims(self, token: str) -> Mapping[str, Any] | None:
        """Of a token that is to be believed; None of any other. Raises HttpError (503) when there are no keys."""
        if len(token) > _LONGEST_TOKEN:
            return None
        try:
            header = jwt.get_unverified_header(token)
        except (jwt.InvalidTokenError, ValueError, RecursionError):
            return None
        if header.get("alg") not in ALGORITHMS or not isinstance(header.get("kid", ""), str):
            return None
        key = await self._key(header.get("kid", ""), header["alg"])
        return None if key is None else self._believed(token, key)

    def _believed(self, token: str, key: jwt.PyJWK) -> Mapping[str, Any] | None:
        try:
            claims: Mapping[str, Any] = jwt.decode(
                token,
                key,
                algorithms=[key.algorithm_name],
                audience=self._audience,
                issuer=self._issuer,
                leeway=SKEW_SECONDS,
                options={"require": ["exp", "iss", "aud"], "strict_aud": False},
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError, RecursionError):
            return None
        return claims

    async def _key(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        if self._clock() - self._fetched_at > _FRESH_SECONDS or self._fitting(key_id, algorithm) is None:
            await self._refresh()
        return self._fitting(key_id, algorithm)

    def _fitting(self, key_id: str, algorithm: str) -> jwt.PyJWK | None:
        """A token that names no key is believed when there is but one it can be from."""
        fitting = {name: key for name, key in self._keys.items() if key.algorithm_name == algorithm}
        if key_id:
            return fitting.get(key_id)
        return next(iter(fitting.values())) if len(fitting) == 1 else None

    async def _refresh(self) -> None:
        async with self._fetching:
            now = self._clock()
            if now - self._tried_at >= _PAUSE_SECONDS:
                self._tried_at = now
                keys = await self._fetched()
                if keys is not None:
                    self._keys, self._fetched_at = keys, now
            if now - self._fetched_at > _FRESH_SECONDS:
                detail = "the issuer of tokens does not answer; try again in a moment, or use an API key"
                raise HttpError(503, detail, kind="issuer-unavailable", headers={"Retry-After": "30"})

    async def _fetched(self) -> Mapping[str, jwt.PyJWK] | None:
        timeout = aiohttp.ClientTimeout(total=_FETCH_SECONDS)
        try:
            async with aiohttp.ClientSession(timeout=timeout, trust_env=True) as session:
                found = await _json(session, f"{self._issuer.rstrip('/')}/.well-known/openid-configuration")
                address = found.get("jwks_uri")
                if found.get("issuer") != self._issuer or not isinstance(address, str) or not self._is_safe(address):
                    return None
                return _usable(await _json(session, address))
        except (aiohttp.ClientError, TimeoutError, ValueError, OSError):
            return None

    def _is_safe(self, address: str) -> bool:
        """Encrypted, unless the issuer is on this very machine."""
        return urlsplit(address).scheme in {"https", urlsplit(self._issuer).scheme}


async def _json(session: aiohttp.ClientSession, address: str) -> Mapping[str, Any]:
    async with session.get(address, allow_redirects=False) as answer:
        if answer.status != 200:
            raise ValueError(address)
        content = bytearray()
        async for part in answer.content.iter_chunked(65_536):
            content += part
            if len(content) > _MOST_BYTES:
                raise ValueError(address)
    found = json.loads(content)
    if not isinstance(found, dict):
        raise ValueError(address)  # noqa: TRY004 - like all else that is wrong with what was fetched
    return found


def _usable(document: Mapping[str, Any]) -> Mapping[str, jwt.PyJWK]:
    """Public keys for signing, of the kinds and sizes that are believed, by their id."""
    listed = document.get("keys")
    usable: dict[str, jwt.PyJWK] = {}
    for each in listed if isinstance(listed, list) else []:
        if not isinstance(each, dict) or each.get("use", "sig") != "sig" or each.get("kty") not in {"RSA", "EC"}:
            continue
        try:
            key = jwt.PyJWK(each)
        except (jwt.PyJWTError, ValueError, TypeError):
            continue
        if key.algorithm_name in ALGORITHMS and _is_strong(key):
            usable[str(each.get("kid", ""))] = key
    return usable


def _is_strong(key: jwt.PyJWK) -> bool:
    if isinstance(key.Algorithm, RSAAlgorithm):
        return bool(key.key.key_size >= _LEAST_RSA_BITS)
    return isinstance(key.Algorithm, ECAlgorithm)
