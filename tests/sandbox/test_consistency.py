"""What was just made or deleted is not seen so everywhere at once: by number of looks, so a test knows what it gets.

Contract 4.6 and 9.4: for real it takes seconds; how long exactly, and for which calls, is UNCONFIRMED, hence the knobs.
"""

import pytest

from reconciler.sandbox import ControlClient
from tests.sandbox.plain import SALES, Answer, Plain, an_add

NOT_THERE = (404, "RESOURCE_DOES_NOT_EXIST")
GRANT = {"changes": [{"principal": "partner", "add": ["SELECT"]}]}


def test_a_new_share_is_hidden_from_so_many_reads(plain: Plain, control: ControlClient) -> None:
    control.knobs(hidden_reads=2)
    plain.a_share()
    assert plain.get("shares/sales").error == NOT_THERE
    assert plain.get("shares/SALES/permissions").error == NOT_THERE
    assert plain.get("shares/sales").status == plain.get("shares/sales/permissions").status == 200
    assert plain.post("shares", {"name": "sales"}).status == 400, "the name is taken all along"


def test_it_can_be_changed_while_reads_do_not_see_it(plain: Plain, control: ControlClient) -> None:
    control.knobs(hidden_reads=1)
    plain.a_share("sales", f"{SALES}.refunds")
    assert plain.get("shares/sales").error == NOT_THERE
    assert len(plain.objects()) == 1


def test_a_new_share_is_hidden_from_so_many_changes(plain: Plain, control: ControlClient) -> None:
    plain.a_recipient()
    control.knobs(hidden_writes=2)
    plain.a_share()
    assert plain.patch("shares/sales", {"updates": [an_add(f"{SALES}.refunds")]}).error == NOT_THERE
    assert plain.patch("shares/sales/permissions", GRANT).error == NOT_THERE
    assert plain.get("shares/sales").status == 200, "reads see it"
    assert plain.objects() == []
    assert plain.patch("shares/sales/permissions", GRANT).status == 200


def test_a_new_recipient_is_hidden_in_every_way(plain: Plain, control: ControlClient) -> None:
    control.knobs(hidden_reads=3, hidden_writes=3)
    plain.a_recipient("partner", authentication_type="OIDC_FEDERATION")
    policies = "/api/2.0/data-sharing/recipients/partner/federation-policies"
    for path in ("recipients/partner", "recipients/partner/share-permissions", policies):
        assert plain.get(path).error == NOT_THERE
        assert plain.patch("recipients/partner", {"comment": "x"}).error == NOT_THERE
    for path in ("recipients/partner", "recipients/partner/share-permissions", policies):
        assert plain.get(path).status == 200
    plain.a_recipient("other")
    assert plain.post("recipients/other/rotate-token", {}).error == NOT_THERE
    assert plain.post(policies.replace("partner", "other"), {"name": "x"}).error == NOT_THERE


@pytest.mark.parametrize("hidden", [{"hidden_reads": 2}, {"hidden_writes": 2}, {"hidden_reads": 1, "hidden_writes": 2}])
@pytest.mark.parametrize("code", ["PRINCIPAL_DOES_NOT_EXIST", "RECIPIENT_DOES_NOT_EXIST"])
def test_a_hidden_recipient_is_nobody_to_grant_to(
    plain: Plain, control: ControlClient, hidden: dict[str, int], code: str
) -> None:
    plain.a_share()
    plain.a_recipient("known")
    control.knobs(unknown_share_principal=code, **hidden)
    plain.a_recipient()
    both = {"changes": [{"principal": "known", "add": ["SELECT"]}, *GRANT["changes"]]}
    for _ in range(2):
        assert plain.patch("shares/sales/permissions", both).error == (404, code)
        assert plain.get("shares/sales/permissions").body == {}, "all or nothing"
    assert plain.patch("shares/sales/permissions", both).status == 200


def test_looking_until_it_is_there_lets_it_be_granted(plain: Plain, control: ControlClient) -> None:
    plain.a_share()
    control.knobs(hidden_reads=1)
    plain.a_recipient()
    assert plain.get("recipients/partner").error == NOT_THERE
    plain.a_grant()


def test_deleting_and_making_anew_starts_again(plain: Plain, control: ControlClient) -> None:
    control.knobs(hidden_reads=1, hidden_writes=1)
    plain.a_share()
    assert plain.delete("shares/sales").status == 200, "deletion is not concerned"
    control.knobs(hidden_reads=0, hidden_writes=0)
    plain.a_share()
    assert plain.get("shares/sales").status == 200
    control.knobs(hidden_reads=1)
    plain.delete("shares/sales")
    plain.a_share()
    assert [plain.get("shares/sales").status for _ in range(2)] == [404, 200]


def test_a_renamed_one_is_seen(plain: Plain, control: ControlClient) -> None:
    control.knobs(hidden_reads=5)
    plain.a_share()
    plain.a_recipient()
    assert plain.patch("shares/sales", {"new_name": "other"}).status == 200
    assert plain.patch("recipients/partner", {"new_name": "friend"}).status == 200
    assert plain.get("shares/other").status == plain.get("recipients/friend").status == 200
    assert plain.get("shares/sales").error == (404, "SHARE_DOES_NOT_EXIST")


def test_lists_show_what_is_hidden(plain: Plain, control: ControlClient) -> None:
    control.knobs(hidden_reads=1, hidden_writes=1)
    plain.a_share()
    plain.a_recipient()
    assert [each["name"] for each in plain.get("shares").body["shares"]] == ["sales"]
    assert [each["name"] for each in plain.get("recipients").body["recipients"]] == ["partner"]


def test_what_was_deleted_is_still_seen_for_so_many_reads(plain: Plain, control: ControlClient) -> None:
    plain.a_recipient()
    plain.a_share()
    plain.a_grant()
    control.knobs(stale_reads=2)
    assert plain.delete("recipients/partner").status == 200
    assert plain.delete("shares/sales").status == 200
    assert statuses(plain, "recipients/partner") == [200, 200, 404]
    assert statuses(plain, "shares/sales") == [200, 200, 404]
    assert statuses(plain, "shares/sales/permissions") == [200, 200, 404]
    assert plain.patch("shares/sales", {"comment": "x"}).error == (404, "SHARE_DOES_NOT_EXIST")
    assert plain.delete("shares/sales").error == (404, "SHARE_DOES_NOT_EXIST")


def statuses(plain: Plain, path: str) -> list[int]:
    answers: list[Answer] = [plain.get(path) for _ in range(3)]
    return [each.status for each in answers]
