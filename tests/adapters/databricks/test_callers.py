"""Who calls, with which rights on the metastore, and the names of all there is."""

import asyncio
import threading
from collections.abc import Callable
from typing import Any, TypeVar

import pytest
from pydantic import SecretStr

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.databricks import platform as platform_module
from reconciler.adapters.databricks.workspace import Workspace
from reconciler.core.calls import CreateRecipient, CreateShare
from reconciler.core.key import Kind, recipient_key, share_key
from reconciler.core.recipient import TokenSharing
from reconciler.core.rights import Caller
from reconciler.ports.platform import RefusedError, UnavailableError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import UC, assert_clean

T = TypeVar("T")

ME = "/api/2.0/preview/scim/v2/Me"
SUMMARY = f"{UC}/metastore_summary"


async def called_by(url: str, token: str) -> Caller:
    platform = DatabricksPlatform({"token": SecretStr(token)})
    try:
        return await platform.caller(url)
    finally:
        await platform.close()


async def test_a_metastore_administrator(platform: DatabricksPlatform, url: str) -> None:
    caller = await platform.caller(url)
    assert caller.is_metastore_admin
    assert caller.name == "sharepack@sandbox.example"
    assert caller.metastore_id.startswith("azure:westeurope:")
    assert caller.metastore_id == caller.metastore_id.lower()
    assert caller.shares_externally
    assert caller.is_one_of("account users")


async def test_somebody_with_privileges_of_their_own_and_of_a_group(control: ControlClient, url: str) -> None:
    control.grant("METASTORE", "", "data-readers", "CREATE_SHARE")
    caller = await called_by(url, "dapi-sandbox-user")
    assert not caller.is_metastore_admin
    assert caller.groups == {"data-readers", "account users"}
    assert caller.privileges == {"USE_SHARE", "USE_RECIPIENT", "CREATE_SHARE"}
    assert await called_by(url, "dapi-sandbox-guest") == Caller(
        "guest@sandbox.example", frozenset({"account users"}), metastore_id=caller.metastore_id
    )


async def test_an_administrator_by_way_of_a_group(control: ControlClient, url: str) -> None:
    control.metastore(owner="data-owners")
    assert (await called_by(url, "dapi-sandbox-owner")).is_metastore_admin
    assert not (await called_by(url, "dapi-sandbox-admin")).is_metastore_admin


async def test_privileges_on_many_pages(control: ControlClient, url: str) -> None:
    control.knobs(page_size=1, empty_middle_pages=True)
    control.grant("METASTORE", "", "data-owners", "CREATE_PROVIDER")
    assert "CREATE_PROVIDER" in (await called_by(url, "dapi-sandbox-owner")).privileges


async def test_a_metastore_that_does_not_share_outside(
    platform: DatabricksPlatform, control: ControlClient, url: str
) -> None:
    control.metastore(delta_sharing_scope="INTERNAL")
    assert not (await platform.caller(url)).shares_externally


@pytest.mark.parametrize("scope", ["TO_THE_MOON", None])
async def test_a_scope_nobody_knows_forbids_nothing(
    platform: DatabricksPlatform, control: ControlClient, url: str, scope: str | None
) -> None:
    control.fault(f"GET {SUMMARY}", status=200, body={"metastore_id": "m", "delta_sharing_scope": scope})
    control.fault(f"GET {UC}/effective-permissions/*", status=200, body={})
    assert (await platform.caller(url)).shares_externally


async def test_it_is_asked_once_and_again_after_a_while(
    platform: DatabricksPlatform, control: ControlClient, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    await asyncio.gather(*(platform.caller(url) for _ in range(5)))
    assert platform.calls_made == {"GET": 3}
    monkeypatch.setattr(platform_module, "CALLER_KNOWN_FOR", -1.0)
    control.metastore(owner="data-owners")
    assert not (await platform.caller(url)).is_metastore_admin


async def test_who_it_is_is_asked_beside_what_the_metastore_is(
    platform: DatabricksPlatform, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    both = threading.Barrier(2, timeout=30)

    def meeting(ask: Callable[[Workspace], T]) -> Callable[[Workspace], T]:
        def asked(workspace: Workspace) -> T:
            both.wait()
            return ask(workspace)

        return asked

    monkeypatch.setattr(Workspace, "me", meeting(Workspace.me))
    monkeypatch.setattr(Workspace, "metastore", meeting(Workspace.metastore))
    assert (await platform.caller(url)).is_metastore_admin
    assert platform.calls_made == {"GET": 3}


@pytest.mark.parametrize("path", [ME, SUMMARY, f"{UC}/effective-permissions/*"])
@pytest.mark.parametrize(
    ("status", "failure"), [(403, RefusedError), (404, RefusedError), (500, UnavailableError)], ids=str
)
async def test_a_failure_is_raised_and_not_remembered(
    platform: DatabricksPlatform, control: ControlClient, url: str, path: str, status: int, failure: type[Exception]
) -> None:
    control.fault(f"GET {path}", status=status, error_code="NOT_TODAY", message="No")
    with pytest.raises(failure) as caught:
        await platform.caller(url)
    assert_clean(caught.value)
    assert (await platform.caller(url)).name == "sharepack@sandbox.example"


@pytest.mark.parametrize(("path", "says"), [(ME, "who is calling"), (SUMMARY, "which metastore")])
async def test_an_answer_that_tells_nothing_is_refused(
    platform: DatabricksPlatform, control: ControlClient, url: str, path: str, says: str
) -> None:
    control.fault(f"GET {path}", status=200, body={})
    with pytest.raises(RefusedError, match=says) as caught:
        await platform.caller(url)
    assert_clean(caught.value)


@pytest.mark.parametrize(
    "knobs",
    [
        {},
        {"page_size": 2},
        {"page_size": 1, "empty_middle_pages": True},
        {"lowercase_names": False, "shuffle_lists": True},
        {"list_includes_tokens": False, "empty_lists_omitted": False},
    ],
    ids=str,
)
async def test_all_names_on_all_pages(
    platform: DatabricksPlatform, control: ControlClient, url: str, knobs: dict[str, Any]
) -> None:
    control.knobs(**knobs)
    assert await platform.names(url, Kind.SHARE) == await platform.names(url, Kind.RECIPIENT) == frozenset()
    for number in range(5):
        await platform.perform(CreateShare(share_key(f"Share_{number}", url)))
        await platform.perform(CreateRecipient(recipient_key(f"Reader_{number}", url), TokenSharing()))
    assert await platform.names(url, Kind.SHARE) == {f"share_{number}" for number in range(5)}
    assert await platform.names(url, Kind.RECIPIENT) == {f"reader_{number}" for number in range(5)}


@pytest.mark.parametrize("kind", list(Kind))
async def test_a_list_that_breaks_off_is_none(
    platform: DatabricksPlatform, control: ControlClient, url: str, kind: Kind
) -> None:
    control.knobs(page_size=1)
    for number in range(3):
        await platform.perform(CreateShare(share_key(f"s{number}", url)))
        await platform.perform(CreateRecipient(recipient_key(f"r{number}", url), TokenSharing()))
    control.fault(f"GET {UC}/{kind}s", status=500, offset=2, times=0)
    with pytest.raises(UnavailableError):
        await platform.names(url, kind)
