"""What lists tell, and what each share and recipient tells of who may read."""

from typing import Any

import pytest
from databricks.sdk.service.sharing import RecipientInfo, ShareInfo

from reconciler.adapters.databricks import DatabricksPlatform
from reconciler.adapters.databricks.reading import listed_recipient, listed_share
from reconciler.core.actual import Found, Unreadable
from reconciler.core.calls import ChangeGrants, CreateRecipient, CreateShare
from reconciler.core.key import Key, Kind, recipient_key, share_key
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import TokenSharing
from reconciler.core.share import Share
from reconciler.ports.platform import RefusedError
from reconciler.sandbox import ControlClient
from tests.adapters.databricks.conftest import UC, requests_of


async def fill(platform: DatabricksPlatform, url: str, count: int = 3) -> list[Key]:
    """Shares, each granted to a recipient of its own."""
    shares = [share_key(f"s{number}", url) for number in range(count)]
    for number, share in enumerate(shares):
        await platform.perform(CreateRecipient(recipient_key(f"r{number}", url), TokenSharing()))
        await platform.perform(CreateShare(share))
        await platform.perform(ChangeGrants(share, grant=(f"r{number}",)))
    return shares


@pytest.mark.parametrize("knobs", [{}, {"empty_middle_pages": True}, {"shuffle_lists": True}], ids=str)
async def test_a_list_shows_all_pages_and_what_a_read_shows(
    platform: DatabricksPlatform, control: ControlClient, url: str, knobs: dict[str, Any]
) -> None:
    keys = await fill(platform, url)
    control.knobs(page_size=2, **knobs)
    shares = await platform.listed(url, Kind.SHARE)
    recipients = await platform.listed(url, Kind.RECIPIENT)
    assert shares.pages >= 2
    assert sorted(shares.resources) == keys
    read = await platform.observe([*keys, *recipients.resources])
    for key, seen in {**shares.resources, **recipients.resources}.items():
        found = read[key]
        assert isinstance(found, Found)
        assert isinstance(seen, Found)
        assert (seen.owner, seen.updated_at, seen.tokens) == (found.owner, found.updated_at, found.tokens)
        if isinstance(seen.resource, Share):
            assert seen.resource.objects is seen.resource.recipients is UNMANAGED
        else:
            assert seen == found


async def test_a_list_that_is_refused_is_no_empty_list(
    platform: DatabricksPlatform, control: ControlClient, url: str
) -> None:
    await fill(platform, url)
    control.fault(f"GET {UC}/shares", status=403, error_code="PERMISSION_DENIED", message="No", times=0)
    with pytest.raises(RefusedError):
        await platform.listed(url, Kind.SHARE)


def test_a_strange_recipient_is_none_of_the_others_business() -> None:
    assert isinstance(listed_recipient(RecipientInfo(name="x")), Unreadable)
    assert listed_share(ShareInfo(name="S")).resource == Share("s", comment="", owner="", storage_root="")


async def test_who_may_read_is_the_same_from_both_sides(
    platform: DatabricksPlatform, control: ControlClient, url: str
) -> None:
    shares = await fill(platform, url)
    recipients = [recipient_key(f"r{number}", url) for number in range(3)]
    control.knobs(page_size=1, empty_middle_pages=True)
    assert await platform.grants(shares) == {share: frozenset({f"r{number}"}) for number, share in enumerate(shares)}
    assert await platform.grants(recipients) == {
        each: frozenset({f"s{number}"}) for number, each in enumerate(recipients)
    }


async def test_what_is_gone_reads_nothing_and_is_read_by_nobody_knows(
    platform: DatabricksPlatform, control: ControlClient, url: str
) -> None:
    gone, never = recipient_key("gone", url), share_key("never", url)
    assert await platform.grants([gone, never]) == {gone: frozenset(), never: None}
    control.fault(f"GET {UC}/recipients/gone/*", status=404, error_code="FEATURE_DISABLED", message="Off", times=0)
    assert await platform.grants([gone]) == {gone: None}


async def test_policies_of_a_recipient_that_has_none_are_not_told_where_it_is_gone(
    platform: DatabricksPlatform, control: ControlClient, url: str
) -> None:
    control.clear_log()
    assert await platform.policies([recipient_key("gone", url)]) == {recipient_key("gone", url): None}
    assert await platform.policies([]) == {}
    assert len(requests_of(control, writes_only=False)) == 1
