"""Who signs in, where credentials are sent, and what a failed sign-in says."""

import socket

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform, limiter, sign_in
from reconciler.core.calls import CreateShare, DeleteShare
from reconciler.core.key import Key, share_key
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import ADMIN, refusal, requests_of, unavailability, unused_port


async def test_a_token_nobody_has_is_refused(control: ControlClient, share: Key) -> None:
    platform = DatabricksPlatform({"token": SecretStr("dapi-canary")})
    try:
        failure = await refusal(platform, CreateShare(share))
    finally:
        await platform.close()
    assert failure.reason == "Invalid access token"
    assert "canary" not in repr(failure)


def service_principal(secret: str) -> dict[str, SecretStr]:
    return {"client_id": SecretStr("sandbox-client"), "client_secret": SecretStr(secret)}


async def test_a_service_principal_signs_in(control: ControlClient, share: Key) -> None:
    platform = DatabricksPlatform(service_principal("sandbox-secret"))
    try:
        await platform.perform(CreateShare(share))
    finally:
        await platform.close()


async def test_given_credentials_win_over_those_in_the_environment(
    control: ControlClient, share: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_CLIENT_ID", "another")
    monkeypatch.setenv("DATABRICKS_CLIENT_SECRET", "another")
    platform = DatabricksPlatform(ADMIN)
    try:
        await platform.perform(CreateShare(share))
    finally:
        await platform.close()


async def test_without_given_credentials_the_sdk_looks_in_the_environment(
    control: ControlClient, share: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DATABRICKS_TOKEN", "dapi-sandbox-admin")
    platform = DatabricksPlatform()
    try:
        await platform.perform(CreateShare(share))
    finally:
        await platform.close()


async def test_a_service_principal_with_a_wrong_secret_is_refused(control: ControlClient, share: Key) -> None:
    platform = DatabricksPlatform(service_principal("canary"))
    try:
        failure = await refusal(platform, CreateShare(share))
    finally:
        await platform.close()
    assert "cannot sign in" in failure.reason
    assert "invalid_client" in failure.reason
    assert "canary" not in repr(failure)
    assert requests_of(control) == []


async def test_a_service_principal_of_a_workspace_that_is_away_is_not_told_that_its_secret_is_wrong() -> None:
    url = f"http://127.0.0.1:{unused_port()}"
    platform = DatabricksPlatform(service_principal("sandbox-secret"))
    try:
        failure = await unavailability(platform, CreateShare(share_key("q1", url)))
    finally:
        await platform.close()
    assert "cannot be reached" in failure.reason


@pytest.mark.parametrize("status", [429, 500, 502, 503])
async def test_a_sign_in_that_is_out_of_order_is_not_a_wrong_secret(
    control: ControlClient, share: Key, status: int
) -> None:
    control.fault("POST /oidc/*", status=status, body={"error": "temporarily_unavailable"})
    platform = DatabricksPlatform(service_principal("sandbox-secret"))
    try:
        failure = await unavailability(platform, CreateShare(share))
    finally:
        await platform.close()
    assert f"signing in was answered with HTTP {status}" in failure.reason
    assert (failure.maybe_done, failure.understood) == (False, True)
    assert requests_of(control) == []


async def test_a_sign_in_that_answers_a_page_is_not_understood(control: ControlClient, share: Key) -> None:
    control.fault("POST /oidc/*", status=200, body="<html>Welcome</html>")
    platform = DatabricksPlatform(service_principal("sandbox-secret"))
    try:
        failure = await unavailability(platform, CreateShare(share))
    finally:
        await platform.close()
    assert (failure.maybe_done, failure.understood) == (False, False)


async def test_a_sign_in_without_an_answer_is_given_up_and_tried_again_later(
    control: ControlClient, share: Key, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sign_in, "_TIMEOUT", 0.3)
    monkeypatch.setattr(limiter, "SHUT_FOR", 0.0)
    control.fault("POST /oidc/*", delay_ms=3_000)
    platform = DatabricksPlatform(service_principal("sandbox-secret"))
    try:
        failure = await unavailability(platform, CreateShare(share))
        assert (failure.maybe_done, failure.understood) == (False, True)
        await platform.perform(CreateShare(share))
    finally:
        await platform.close()


@pytest.mark.parametrize(
    "address",
    [
        "https://evil.example",
        "http://adb-1.2.azuredatabricks.net",
        "https://adb-1.2.azuredatabricks.net.evil.example",
        "https://evil.example/.azuredatabricks.net",
        "https://evil.example\\.azuredatabricks.net",
        "https://adb-1.2.azuredatabricks.net@evil.example",
        "https://evil.example#.azuredatabricks.net",
        "",
    ],
)
async def test_credentials_go_to_databricks_only(address: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(socket.socket, "connect", forbidden)
    monkeypatch.setattr(socket, "getaddrinfo", forbidden)
    platform = DatabricksPlatform(ADMIN)
    try:
        failure = await refusal(platform, CreateShare(share_key("q1", address)))
    finally:
        await platform.close()
    assert failure.code == "UNTRUSTED_HOST"
    assert "databricks_host" in failure.reason


def forbidden(*_: object, **__: object) -> None:
    raise AssertionError("the network was used")


async def test_a_host_that_the_settings_name_is_trusted() -> None:
    url = "https://databricks.invalid"
    platform = DatabricksPlatform(ADMIN, trusted_hosts=[url])
    try:
        failure = await unavailability(platform, DeleteShare(share_key("q1", url)))
    finally:
        await platform.close()
    assert not failure.maybe_done
