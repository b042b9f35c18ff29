"""Each call is exactly one request, with exactly the fields it names (contract 1.5, 2.3, 4.4, 4.6)."""

import pytest

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.core.actual import Found
from reconciler.core.calls import (
    Call,
    ChangeOwner,
    CreateRecipient,
    CreateShare,
    DeleteRecipient,
    DeleteShare,
    Rename,
)
from reconciler.core.key import Key, recipient_key, share_key
from reconciler.core.recipient import TokenSharing
from reconciler.ports.platform import RefusedError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import found, requests_of, wire_of

ME = "sharepack@sandbox.example"


async def test_deletions(platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key) -> None:
    assert (await wire_of(platform, control, DeleteShare(share), CreateShare(share)))[:2] == (
        "DELETE",
        "/shares/q1_share",
    )
    create = CreateRecipient(recipient, TokenSharing())
    assert (await wire_of(platform, control, DeleteRecipient(recipient), create))[:2] == ("DELETE", "/recipients/acme")


@pytest.mark.parametrize("name", ["", ".", ".."])
async def test_a_name_that_would_change_the_path_is_refused(
    platform: DatabricksPlatform, control: ControlClient, url: str, name: str
) -> None:
    with pytest.raises(RefusedError, match="is not a name"):
        await platform.perform(DeleteShare(share_key(name, url)))
    assert requests_of(control) == []


async def test_a_slash_in_a_name_stays_in_the_name(
    platform: DatabricksPlatform, control: ControlClient, share: Key, url: str
) -> None:
    await platform.perform(CreateShare(share))
    with pytest.raises(RefusedError) as caught:
        await platform.perform(DeleteShare(share_key("x/../q1_share", url)))
    assert caught.value.code == "SHARE_DOES_NOT_EXIST"
    assert isinstance((await platform.observe([share]))[share], Found)


@pytest.mark.parametrize("kind", ["share", "recipient"])
async def test_an_owner_goes_alone(
    platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key, kind: str
) -> None:
    key, create = _made(share, recipient, kind)
    sent = await wire_of(platform, control, ChangeOwner(key, "data-owners"), create)
    assert sent == ("PATCH", f"/{kind}s/{key.name}", {"owner": "data-owners"})
    assert (await found(platform, key)).owner == "data-owners"


async def test_an_administrator_may_take_what_belongs_to_another(
    platform: DatabricksPlatform, control: ControlClient, share: Key
) -> None:
    """Contract 4.5: anything beside the owner would be refused."""
    await platform.perform(CreateShare(share))
    await platform.perform(ChangeOwner(share, "owner@sandbox.example"))
    await platform.perform(ChangeOwner(share, ME))
    assert (await found(platform, share)).owner == ME


@pytest.mark.parametrize("kind", ["share", "recipient"])
async def test_a_rename_says_nothing_but_the_new_name(
    platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key, url: str, kind: str
) -> None:
    key, create = _made(share, recipient, kind)
    renamed = Key(key.kind, "another", url)
    sent = await wire_of(platform, control, Rename(renamed, key.name), create)
    assert sent == ("PATCH", f"/{kind}s/{key.name}", {"new_name": "another"})
    assert (await found(platform, renamed)).resource.name == "another"
    with pytest.raises(RefusedError, match="does not exist"):
        await platform.perform(Rename(renamed, key.name))


@pytest.mark.parametrize("old_name", ["", "..", "x/y"])
async def test_a_rename_cannot_reach_elsewhere(
    platform: DatabricksPlatform, control: ControlClient, share: Key, recipient: Key, url: str, old_name: str
) -> None:
    await platform.perform(CreateShare(share))
    for key in (share_key("another", url), recipient_key("another", url)):
        with pytest.raises(RefusedError):
            await platform.perform(Rename(key, old_name))
    assert [each["name"] for each in control.state()["shares"]] == [share.name]


def _made(share: Key, recipient: Key, kind: str) -> tuple[Key, Call]:
    if kind == "share":
        return share, CreateShare(share)
    return recipient, CreateRecipient(recipient, TokenSharing())
