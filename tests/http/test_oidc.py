"""Tokens of an issuer of this machine's own, over real HTTP: believed when all of it is right, and never otherwise."""

import base64
import hashlib
import hmac
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from time import time
from typing import Any

import jwt
import pytest
import pytest_asyncio
from aiohttp import web
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from reconciler.http.oidc import Issuer
from reconciler.http.problems import HttpError
from tests.http.api import Api, served
from tests.journeys.journey import Journey
from tests.journeys.packs import SALES

AUDIENCE = "api://sharepack"
RSA = rsa.generate_private_key(65537, 2048)
STRANGER = rsa.generate_private_key(65537, 2048)
EC = ec.generate_private_key(ec.SECP256R1())
PUBLIC = RSA.public_key().public_bytes(serialization.Encoding.PEM, serialization.PublicFormat.SubjectPublicKeyInfo)


def jwk(algorithm: Any, key: Any, key_id: str) -> dict[str, Any]:
    return {**json.loads(algorithm.to_jwk(key.public_key())), "kid": key_id, "use": "sig"}


@dataclass
class Provider:
    url: str = ""
    keys: list[Mapping[str, Any]] = field(
        default_factory=lambda: [jwk(RSAAlgorithm, RSA, "rsa"), jwk(ECAlgorithm, EC, "ec")]
    )
    said: dict[str, Any] = field(default_factory=dict)
    fetched: list[str] = field(default_factory=list)
    is_down: bool = False

    async def answer(self, request: web.Request) -> web.Response:
        self.fetched.append(request.path)
        if self.is_down:
            return web.Response(status=503)
        if request.path == "/keys":
            return web.json_response({"keys": self.keys})
        return web.json_response({"issuer": self.url, "jwks_uri": f"{self.url}/keys", **self.said})

    def token(self, key: Any = RSA, algorithm: str = "RS256", key_id: str | None = "rsa", **claims: Any) -> str:
        """A claim that is None is left out."""
        now = int(time())
        usual = {
            "iss": self.url,
            "aud": AUDIENCE,
            "exp": now + 600,
            "sub": "0001",
            "preferred_username": "ann@example.com",
            "roles": ["sharepack.write"],
            "business_lines": ["Sales Operations"],
        }
        payload = {name: value for name, value in (usual | claims).items() if value is not None}
        return jwt.encode(payload, key, algorithm, headers={} if key_id is None else {"kid": key_id})


@pytest_asyncio.fixture
async def provider() -> AsyncIterator[Provider]:
    provider = Provider()
    runner = web.ServerRunner(web.Server(provider.answer))  # type: ignore[arg-type]
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    host, port = runner.addresses[0][:2]
    provider.url = f"http://{host}:{port}"
    yield provider
    await runner.cleanup()


@pytest.fixture
def issuer(provider: Provider) -> Issuer:
    return Issuer(provider.url, AUDIENCE)


@pytest.mark.parametrize(
    ("key", "algorithm", "key_id"), [(RSA, "RS256", "rsa"), (EC, "ES256", "ec"), (RSA, "RS256", None)]
)
async def test_a_token_that_is_right_is_believed(
    provider: Provider, issuer: Issuer, key: Any, algorithm: str, key_id: str | None
) -> None:
    claims = await issuer.claims(provider.token(key, algorithm, key_id))
    assert claims is not None
    assert claims["sub"] == "0001"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://elsewhere.example.com"},
        {"iss": None},
        {"aud": "api://something-else"},
        {"aud": None},
        {"exp": int(time()) - 120},
        {"exp": None},
        {"exp": "soon"},
        {"nbf": int(time()) + 600},
    ],
)
async def test_a_claim_that_is_wrong_spoils_it(provider: Provider, issuer: Issuer, claims: dict[str, Any]) -> None:
    assert await issuer.claims(provider.token(**claims)) is None


async def test_clocks_may_differ_by_a_minute(provider: Provider, issuer: Issuer) -> None:
    now = int(time())
    assert await issuer.claims(provider.token(exp=now - 30, nbf=now + 30)) is not None


async def test_signatures_of_others_and_of_nobody_are_not_believed(provider: Provider, issuer: Issuer) -> None:
    stranger = provider.token(STRANGER)
    unsigned = jwt.encode(
        {"iss": provider.url, "aud": AUDIENCE, "exp": int(time()) + 600, "roles": ["sharepack.write"]},
        "",
        "none",
        headers={"kid": "rsa"},
    )
    head, body, _ = provider.token().split(".")
    cut = f"{head}.{body}."
    other_algorithm = provider.token(RSA, "RS512")
    for token in (stranger, unsigned, cut, other_algorithm, "eyJ", "", "a.b.c", "x" * 20_000):
        assert await issuer.claims(token) is None


async def test_the_public_key_is_no_shared_secret(provider: Provider, issuer: Issuer) -> None:
    """HS256 with the public key as its secret, which PyJWT itself refuses to sign."""

    def part(value: Any) -> bytes:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=")

    claims = {"iss": provider.url, "aud": AUDIENCE, "exp": int(time()) + 600, "roles": ["sharepack.write"]}
    signed = part({"alg": "HS256", "typ": "JWT", "kid": "rsa"}) + b"." + part(claims)
    signature = base64.urlsafe_b64encode(hmac.new(PUBLIC, signed, hashlib.sha256).digest()).rstrip(b"=")
    assert await issuer.claims((signed + b"." + signature).decode()) is None


async def test_keys_are_fetched_once_and_again_when_one_is_new(provider: Provider) -> None:
    now = 0.0
    issuer = Issuer(provider.url, AUDIENCE, clock=lambda: now)
    for _ in range(3):
        assert await issuer.claims(provider.token()) is not None
    assert provider.fetched == ["/.well-known/openid-configuration", "/keys"]
    provider.keys.append(jwk(RSAAlgorithm, STRANGER, "new"))
    assert await issuer.claims(provider.token(STRANGER, key_id="new")) is None
    now = 31.0
    assert await issuer.claims(provider.token(STRANGER, key_id="new")) is not None
    for _ in range(3):
        assert await issuer.claims(provider.token(key_id="unheard-of")) is None
    assert len(provider.fetched) == 4


async def test_keys_that_are_known_outlast_an_issuer_that_is_down_for_a_while(provider: Provider) -> None:
    now = 0.0
    issuer = Issuer(provider.url, AUDIENCE, clock=lambda: now)
    assert await issuer.claims(provider.token()) is not None
    provider.is_down = True
    now = 3000.0
    assert await issuer.claims(provider.token()) is not None
    now = 3700.0
    with pytest.raises(HttpError) as caught:
        await issuer.claims(provider.token())
    assert caught.value.status == 503


@pytest.mark.parametrize(
    "said", [{"issuer": "https://elsewhere.example.com"}, {"jwks_uri": "file:///etc/passwd"}, {"jwks_uri": 1}]
)
async def test_a_discovery_document_of_another_is_not_believed(
    provider: Provider, issuer: Issuer, said: dict[str, Any]
) -> None:
    provider.said = said
    with pytest.raises(HttpError):
        await issuer.claims(provider.token())


async def test_weak_and_shared_keys_of_the_issuer_are_not_used(provider: Provider, issuer: Issuer) -> None:
    weak = rsa.generate_private_key(65537, 1024)
    secret = {"kty": "oct", "k": "c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0", "kid": "shared", "alg": "HS256"}
    provider.keys = [jwk(RSAAlgorithm, weak, "weak"), secret, {"kty": "RSA"}, jwk(RSAAlgorithm, RSA, "rsa")]
    head = provider.token(key_id="weak")
    assert await issuer.claims(head) is None
    assert await issuer.claims(provider.token()) is not None


async def test_claims_become_rights(journey: Journey, provider: Provider) -> None:
    journey.commit("Nothing")
    async with served(journey, api_oidc_issuer=provider.url, api_oidc_audience=AUDIENCE) as api:
        assert (await handed_in(api, provider.token())) == 202
        assert (await handed_in(api, provider.token(roles="sharepack.read other"))) == 403
        assert (await handed_in(api, provider.token(business_lines="Marketing, Legal"))) == 403
        assert (await handed_in(api, provider.token(business_lines=None))) == 403
        assert (await handed_in(api, provider.token(roles=["other"]))) == 401
        assert (await handed_in(api, provider.token(business_lines=["*"]))) == 202
        assert (await handed_in(api, provider.token(STRANGER))) == 401
        api.headers = {"X-API-Key": await api.key()}
        assert (await api.upload(SALES)).status == 202
    (row,) = await journey.rows("SELECT DISTINCT caller FROM reconciler.uploads WHERE caller LIKE '%@%'")
    assert row["caller"] == "ann@example.com"


async def handed_in(api: Api, token: str) -> int:
    return (await api.upload(SALES, headers={"Authorization": f"Bearer {token}"})).status
