"""From verdicts to calls: their order, what each sends, and what is true after each of them."""

from dataclasses import replace

import pytest

from reconciler.core.calls import (
    Call,
    ChangeGrants,
    ChangeOwner,
    CreatePolicy,
    CreateRecipient,
    CreateShare,
    DeletePolicy,
    DeleteRecipient,
    DeleteShare,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.calls import Rename as RenameCall
from reconciler.core.changes import Cause, TokenShortened, field_changes
from reconciler.core.key import recipient_key
from reconciler.core.lowering import lower, managed_like
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import (
    DatabricksSharing,
    FederationPolicy,
    OidcSharing,
    Recipient,
    SubjectClaim,
    TokenSharing,
)
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import ObjectType, SharedObject
from reconciler.core.verdict import Create, Delete, Keep, Rename, Replace, Update
from tests.core.lowered import KEY, READERS, calls, share
from tests.core.model import DAY, NOW
from tests.core.worlds import WORKSPACE, as_actual

K_ACME = recipient_key("acme", WORKSPACE)
T1, T2 = (SharedObject(f"main.s.t{n}", ObjectType.TABLE) for n in (1, 2))


def test_a_new_share_is_filled_before_anybody_may_read_it_and_given_away_last() -> None:
    made = replace(share(T1, to="acme"), comment="c", owner="team")
    assert [operation.call for operation in lower(KEY, Create(made, Cause.FILE))] == [
        CreateShare(KEY, "c"),
        UpdateShare(KEY, add=(T1,)),
        ChangeGrants(KEY, ("acme",)),
        ChangeOwner(KEY, "team"),
    ]


def test_a_new_recipient_is_made_with_all_it_can_take_in_one_call() -> None:
    made = Recipient(
        "acme",
        TokenSharing(),
        email="x@y.example",
        allowed_ips=frozenset({"2.2.2.2", "1.1.1.1"}),
        comment="c",
        owner="team",
        properties=frozenset({("b", "2"), ("a", "1")}),
        token_lifetime=60,
    )
    create, own = lower(K_ACME, Create(made, Cause.FILE))
    assert create.call == CreateRecipient(
        K_ACME, TokenSharing(), ("1.1.1.1", "2.2.2.2"), "c", (("a", "1"), ("b", "2")), expires_in=60
    )
    assert create.after == replace(made, owner=UNMANAGED)
    assert (own.call, own.after) == (ChangeOwner(K_ACME, "team"), made)


POLICIES = [
    FederationPolicy(name, "https://idp.example", SubjectClaim.SUB, subject)
    for name, subject in (("a", "alice"), ("b", "bob"), ("a", "carol"))
]


def test_policies_come_one_by_one_and_go_before_others_come() -> None:
    made = Recipient("acme", OidcSharing(), policies=frozenset(POLICIES[:2]))
    operations = lower(K_ACME, Create(made, Cause.FILE))
    assert [operation.call for operation in operations] == [
        CreateRecipient(K_ACME, OidcSharing()),
        CreatePolicy(K_ACME, POLICIES[0]),
        CreatePolicy(K_ACME, POLICIES[1]),
    ]
    assert operations[1].after == replace(made, policies=frozenset(POLICIES[:1]))
    assert calls(made, replace(made, policies=frozenset(POLICIES[1:]), comment="c")) == [
        DeletePolicy(K_ACME, "a"),
        UpdateRecipient(K_ACME, comment="c"),
        CreatePolicy(K_ACME, POLICIES[2]),
    ]


@pytest.mark.parametrize(
    ("field", "before", "after", "expected"),
    [
        ("comment", "a", "b", UpdateRecipient(K_ACME, comment="b")),
        ("comment", "a", "", UpdateRecipient(K_ACME, comment="")),
        ("allowed_ips", frozenset({"1.1.1.1"}), frozenset[str](), UpdateRecipient(K_ACME, allowed_ips=())),
        (
            "allowed_ips",
            frozenset({"1.1.1.1"}),
            frozenset({"1.1.1.1", "2.2.2.2"}),
            UpdateRecipient(K_ACME, allowed_ips=("1.1.1.1", "2.2.2.2")),
        ),
        (
            "properties",
            frozenset({("a", "1")}),
            frozenset({("a", "1"), ("b", "2")}),
            UpdateRecipient(K_ACME, properties=(("a", "1"), ("b", "2"))),
        ),
        ("properties", frozenset({("a", "1")}), frozenset[tuple[str, str]](), UpdateRecipient(K_ACME, properties=())),
        ("expires_at", NOW + 9 * DAY, NOW + 8 * DAY, UpdateRecipient(K_ACME, expires_at=NOW + 8 * DAY)),
        ("owner", "a", "b", ChangeOwner(K_ACME, "b")),
    ],
)
def test_only_what_changes_is_sent(field: str, before: object, after: object, expected: Call) -> None:
    """Together with everything else that is managed and stays."""
    whole = Recipient(
        "acme",
        TokenSharing(),
        allowed_ips=frozenset({"9.9.9.9"}),
        comment="stays",
        owner="stays",
        properties=frozenset({("stays", "1")}),
        expires_at=NOW + 5 * DAY,
    )
    was, becomes = (replace(whole, **{field: value}) for value in (before, after))  # type: ignore[arg-type]
    assert calls(was, becomes) == [expected]


def test_a_token_that_lives_too_long_is_given_an_end() -> None:
    acme = Recipient("acme", TokenSharing(), token_lifetime=60)
    verdict = Update(as_actual(acme), acme, (TokenShortened("t", None, NOW + DAY),), Cause.FILE)
    (operation,) = lower(K_ACME, verdict)
    assert (operation.call, operation.after) == (UpdateRecipient(K_ACME, expires_at=NOW + DAY), acme)


def test_the_owner_goes_first_when_it_changes() -> None:
    before, after = share(T1, comment="a", owner="x"), share(T2, comment="b", owner="y")
    assert [type(call) for call in calls(before, after)] == [ChangeOwner, UpdateShare]


def test_whoever_is_to_read_less_does_not_see_what_others_are_to_see_more_of() -> None:
    found = calls(share(T1, to="acme"), share(T1, T2, to="bolt"))
    assert found == [
        ChangeGrants(KEY, revoke=("acme",)),
        UpdateShare(KEY, add=(T2,)),
        ChangeGrants(KEY, ("bolt",)),
    ]


def test_grants_that_change_alone_are_one_call() -> None:
    assert calls(share(T1, to="acme"), share(T1, to="bolt")) == [ChangeGrants(KEY, ("bolt",), ("acme",))]
    assert calls(share(T1, to="acme"), share(T1, to="acme", comment="x")) == [UpdateShare(KEY, "x")]


def test_the_share_s_own_fields_travel_with_its_first_objects() -> None:
    found = calls(share(T1), replace(share(T1, T2), comment="x", storage_root="s3://x"))
    assert found == [UpdateShare(KEY, "x", "s3://x", add=(T2,))]


def test_a_rename_comes_before_anything_else() -> None:
    there = as_actual(Recipient("old", TokenSharing(), comment="a"))
    wanted = Recipient("acme", TokenSharing(), comment="b", owner="team")
    first, owner, update = lower(K_ACME, Rename(there, wanted, field_changes(wanted, None, there)))
    assert first.call == RenameCall(K_ACME, "old")
    assert first.after == Recipient("acme", TokenSharing(), comment="a", owner="robot")
    assert (owner.call, update.call) == (ChangeOwner(K_ACME, "team"), UpdateRecipient(K_ACME, comment="b"))
    assert update.after == wanted


def test_a_replacement_deletes_and_makes_anew() -> None:
    new = Recipient("acme", DatabricksSharing("aws:r:m"), comment="c", owner="team")
    assert [operation.call for operation in lower(K_ACME, Replace(READERS[0], new))] == [
        DeleteRecipient(K_ACME),
        CreateRecipient(K_ACME, DatabricksSharing("aws:r:m"), comment="c"),
        ChangeOwner(K_ACME, "team"),
    ]


def test_a_share_is_taken_from_its_readers_before_it_is_deleted() -> None:
    assert [operation.call for operation in lower(KEY, Delete(share(T1, to="bolt acme")))] == [
        ChangeGrants(KEY, revoke=("acme", "bolt")),
        DeleteShare(KEY),
    ]
    assert [operation.call for operation in lower(KEY, Delete(share(T1)))] == [DeleteShare(KEY)]
    assert [operation.call for operation in lower(K_ACME, Delete(READERS[0]))] == [DeleteRecipient(K_ACME)]


def test_equal_states_give_no_call() -> None:
    resources: list[Resource] = [*READERS, share(T1, to="acme")]
    for resource in resources:
        assert calls(resource, resource) == []
        assert lower(key_of(resource, WORKSPACE), Keep(resource)) == ()


def test_two_kinds_cannot_become_each_other() -> None:
    with pytest.raises(TypeError):
        lower(KEY, Update(share(), READERS[0], (), Cause.FILE))


def test_what_the_record_says_of_a_kind_is_asked_of_that_kind() -> None:
    with pytest.raises(TypeError, match="Recipient is not a Share"):
        managed_like(share(), READERS[0])
