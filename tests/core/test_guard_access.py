"""Each objection to what opens too much or takes what cannot be given back: when it is raised, and when it is not."""

from dataclasses import replace

import pytest

from reconciler.core.changes import Cause, TokenRotated, field_changes
from reconciler.core.guard import (
    Attestation,
    Prerequisites,
    objections,
    only_removes_access,
    prerequisite_objections,
    removes_access,
)
from reconciler.core.guard_access import Surroundings, access_objections
from reconciler.core.key import recipient_key, share_key
from reconciler.core.recipient import DatabricksSharing, OidcSharing, Recipient, TokenSharing
from reconciler.core.resource import Resource, key_of
from reconciler.core.share import Condition, NotebookContent, ObjectType, Share, SharedObject
from reconciler.core.verdict import (
    Adopt,
    Conflict,
    Create,
    Delete,
    Drifted,
    Forget,
    Keep,
    Release,
    Rename,
    Replace,
    Update,
    Verdict,
)
from tests.core.model import DAY, NOW
from tests.core.worlds import WORKSPACE, as_actual

ACME = Recipient("acme", TokenSharing(), allowed_ips=frozenset({"203.0.113.7"}), expires_at=NOW + 30 * DAY)
T1 = SharedObject("main.s.t1", ObjectType.TABLE)
SCHEMA, OTHER_SCHEMA = SharedObject("main.s", ObjectType.SCHEMA), SharedObject("main.o", ObjectType.SCHEMA)
SHARE = Share("s", objects=frozenset({T1}), recipients=frozenset({"acme"}))


def updated(before: Resource, after: Resource, kind: type[Update | Adopt | Rename] = Update) -> Verdict:
    changes = field_changes(after, before, as_actual(before))
    if kind is Update:
        return Update(as_actual(before), after, changes, Cause.FILE)
    return kind(as_actual(before), after, changes)  # type: ignore[call-arg]


def raised(verdict: Verdict, recorded: Resource | None = None, *metastores: str) -> list[tuple[str, str]]:
    resource = next((getattr(verdict, name) for name in ("after", "before") if hasattr(verdict, name)), SHARE)
    key = key_of(resource, WORKSPACE)
    found = access_objections(key, verdict, Surroundings(recorded, NOW, frozenset(metastores)))
    return [(objection.rule, objection.lift) for objection in found]


def having(**fields: object) -> Recipient:
    return replace(ACME, **fields)  # type: ignore[arg-type]


WIDE = ("ip-list-wide-open", "any-ip:recipient/acme")
EMPTY = ("ip-list-emptied", "open-ips:recipient/acme")


@pytest.mark.parametrize("kind", [Update, Adopt, Rename])
@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        (ACME, having(allowed_ips=frozenset()), [EMPTY]),
        (having(allowed_ips=frozenset()), having(allowed_ips=frozenset(), comment="new"), []),
        (ACME, having(allowed_ips=frozenset({"203.0.113.7", "0.0.0.0/0"})), [WIDE]),
        (ACME, having(allowed_ips=frozenset({"0.0.0.0/1", "128.0.0.0/1"})), [WIDE]),
        (ACME, having(allowed_ips=frozenset({"10.0.0.0/8"})), []),
        (ACME, having(allowed_ips=frozenset({"10.0.0.0/7"})), [WIDE]),
        (having(allowed_ips=frozenset({"0.0.0.0/0"})), having(allowed_ips=frozenset({"0.0.0.0/0", "1.2.3.4"})), []),
        (having(allowed_ips=frozenset({"0.0.0.0/0"})), having(allowed_ips=frozenset({"1.2.3.4"})), []),
        (having(allowed_ips=frozenset()), having(allowed_ips=frozenset({"0.0.0.0/0"})), [WIDE]),
        (ACME, having(expires_at=NOW + 10 * DAY), []),
        (ACME, having(expires_at=NOW + 40 * DAY), [("expiry-not-extendable", "")]),
        (ACME, having(expires_at=NOW), [("expiry-past", "")]),
        (having(expires_at=NOW - DAY), having(expires_at=NOW - DAY, comment="new"), []),
    ],
)
def test_changes_of_a_recipient(
    before: Recipient, after: Recipient, expected: list[tuple[str, str]], kind: type[Update | Adopt | Rename]
) -> None:
    assert raised(updated(before, after, kind)) == expected


def test_a_rotation_may_bring_a_later_end_but_none_in_the_past() -> None:
    rotated = TokenRotated("t", NOW, 60)
    later, past = having(expires_at=NOW + 40 * DAY), having(expires_at=NOW - DAY)
    assert raised(Update(as_actual(ACME), later, (rotated,), Cause.FILE)) == []
    assert raised(Update(as_actual(ACME), past, (rotated,), Cause.FILE)) == [("expiry-past", "")]


def test_a_new_recipient_may_be_open_but_its_token_must_live() -> None:
    assert raised(Create(having(allowed_ips=frozenset({"0.0.0.0/0"})), Cause.FILE)) == []
    assert raised(Create(having(expires_at=NOW - 1), Cause.FILE)) == [("expiry-past", "")]


def test_a_replacement_says_what_is_lost_and_does_not_delete_what_cannot_be_made() -> None:
    replaced = ("recipient-replaced", "replace:recipient/acme")
    assert raised(Replace(ACME, Recipient("acme", OidcSharing()))) == [replaced]
    expired = Replace(Recipient("acme", OidcSharing()), having(expires_at=NOW - 1))
    assert raised(expired) == [replaced, ("expiry-past", "")]


WHOLE = ("whole-schema-to-outsider", "whole-schema:share/s/acme")
WITH_SCHEMA = replace(SHARE, objects=frozenset({T1, SCHEMA}))


@pytest.mark.parametrize(
    ("verdict", "recorded", "metastores", "expected"),
    [
        (Create(WITH_SCHEMA, Cause.FILE), None, [], [WHOLE]),
        (Create(WITH_SCHEMA, Cause.FILE), None, ["acme"], []),
        (Create(SHARE, Cause.FILE), None, [], []),
        (updated(SHARE, WITH_SCHEMA), SHARE, [], [WHOLE]),
        (updated(WITH_SCHEMA, replace(WITH_SCHEMA, comment="new")), WITH_SCHEMA, [], []),
        (
            updated(WITH_SCHEMA, replace(WITH_SCHEMA, recipients=frozenset({"acme", "bolt"}))),
            WITH_SCHEMA,
            [],
            [("whole-schema-to-outsider", "whole-schema:share/s/bolt")],
        ),
        (
            updated(WITH_SCHEMA, replace(WITH_SCHEMA, recipients=frozenset({"acme", "bolt"}))),
            WITH_SCHEMA,
            ["bolt"],
            [],
        ),
        (updated(SHARE, replace(SHARE, objects=frozenset({SCHEMA, OTHER_SCHEMA}))), SHARE, [], [WHOLE]),
        # It was on record, somebody took it away, and it comes back.
        (updated(SHARE, WITH_SCHEMA), WITH_SCHEMA, [], []),
        (updated(WITH_SCHEMA, SHARE), WITH_SCHEMA, [], []),
        (Delete(WITH_SCHEMA), SHARE, [], []),
        # Who reads is not managed: it is as it is there.
        (Update(SHARE, Share("s", objects=frozenset({SCHEMA})), (), Cause.FILE), SHARE, [], [WHOLE]),
    ],
)
def test_a_whole_schema_for_somebody_outside(
    verdict: Verdict, recorded: Resource | None, metastores: list[str], expected: list[tuple[str, str]]
) -> None:
    assert raised(verdict, recorded, *metastores) == expected


def test_several_schemas_for_one_reader_are_one_objection_that_names_them() -> None:
    both = replace(SHARE, objects=frozenset({SCHEMA, OTHER_SCHEMA}))
    (found,) = access_objections(
        share_key("s", WORKSPACE), Create(both, Cause.FILE), Surroundings(None, NOW, frozenset())
    )
    assert "main.o, main.s" in found.message


@pytest.mark.parametrize(
    ("metastore_recipient", "rules"),
    [("", []), ("acme", []), ("theirs", ["metastore-taken"])],
)
def test_a_metastore_that_is_a_recipient_already(metastore_recipient: str, rules: list[str]) -> None:
    """Nothing is deleted for what could not be made."""
    after = Recipient("acme", DatabricksSharing("aws:us-west-2:abc"))
    around = Surroundings(None, NOW, metastore_recipient=metastore_recipient)
    key = recipient_key("acme", WORKSPACE)
    made = access_objections(key, Create(after, Cause.FILE), around)
    replaced = access_objections(key, Replace(ACME, after), around)
    assert [each.rule for each in made] == rules
    assert [each.rule for each in replaced] == ["recipient-replaced", *rules]


def test_the_storage_root_is_fixed_while_there_are_notebooks() -> None:
    notebook = SharedObject("n", ObjectType.NOTEBOOK_FILE, "n", content=NotebookContent("1" * 64))
    rooted = Share("s", objects=frozenset({notebook}), storage_root="s3://one")
    moved = replace(rooted, storage_root="s3://two")
    assert raised(updated(rooted, moved)) == [("storage-root-fixed", "")]
    assert raised(updated(rooted, replace(rooted, comment="new"))) == []
    without = replace(rooted, objects=frozenset({T1}))
    assert raised(updated(without, replace(without, storage_root="s3://two"))) == []


PROTECTED = replace(SHARE, protect=True)


@pytest.mark.parametrize(
    ("verdict", "recorded", "is_held"),
    [
        (Delete(PROTECTED), PROTECTED, True),
        (Delete(SHARE), SHARE, False),
        (updated(PROTECTED, replace(PROTECTED, objects=frozenset())), PROTECTED, True),
        (updated(PROTECTED, replace(PROTECTED, recipients=frozenset())), PROTECTED, True),
        # Lifting it and taking everything away are two commits.
        (updated(PROTECTED, replace(SHARE, recipients=frozenset())), PROTECTED, True),
        (updated(PROTECTED, replace(PROTECTED, comment="new")), PROTECTED, False),
        (updated(PROTECTED, replace(SHARE, comment="new")), PROTECTED, False),
        (updated(SHARE, replace(PROTECTED, recipients=frozenset())), SHARE, False),
        (Replace(ACME, Recipient("acme", OidcSharing())), having(protect=True), True),
        (Forget(PROTECTED), PROTECTED, False),
        (Release(PROTECTED), PROTECTED, False),
    ],
)
def test_what_is_protected_on_record(verdict: Verdict, recorded: Resource, is_held: bool) -> None:
    assert (("protected", "") in raised(verdict, recorded)) is is_held


KEY = share_key("s", WORKSPACE)
REFUSED, ATTESTED = Attestation("it is a shallow clone", "fetch it all"), Attestation(removed=frozenset({KEY}))
EMEA = frozenset({frozenset({Condition("region", value="EMEA")})})


@pytest.mark.parametrize(
    ("verdict", "attestation", "rule"),
    [
        (Delete(SHARE), ATTESTED, ""),
        (Delete(SHARE), Attestation(), "delete-not-attested"),
        (Delete(SHARE), Attestation(removed=frozenset({share_key("t", WORKSPACE)})), "delete-not-attested"),
        (Delete(SHARE), Attestation("shallow", "fetch", frozenset({KEY})), "delete-not-attested"),
        (updated(SHARE, replace(SHARE, recipients=frozenset())), Attestation(), ""),
        (updated(SHARE, replace(SHARE, recipients=frozenset())), REFUSED, "revoke-not-attested"),
        (updated(SHARE, replace(SHARE, objects=frozenset())), REFUSED, "revoke-not-attested"),
        (updated(SHARE, replace(SHARE, objects=frozenset()), Adopt), REFUSED, "revoke-not-attested"),
        (updated(SHARE, replace(SHARE, objects=frozenset()), Rename), REFUSED, "revoke-not-attested"),
        (
            updated(SHARE, replace(SHARE, objects=frozenset({replace(T1, partitions=EMEA)}))),
            REFUSED,
            "revoke-not-attested",
        ),
        (updated(ACME, having(allowed_ips=frozenset({"203.0.113.8"}))), REFUSED, "revoke-not-attested"),
        (Replace(ACME, Recipient("acme", OidcSharing())), REFUSED, "revoke-not-attested"),
        (updated(SHARE, WITH_SCHEMA), REFUSED, ""),
        (updated(SHARE, replace(SHARE, comment="new")), REFUSED, ""),
        (Create(SHARE, Cause.FILE), REFUSED, ""),
        (Forget(SHARE), REFUSED, ""),
        (Release(SHARE), REFUSED, ""),
        (Drifted(SHARE, ()), REFUSED, ""),
        (Keep(SHARE), REFUSED, ""),
        (Conflict("x", "", ""), REFUSED, ""),
    ],
)
def test_what_git_must_attest(verdict: Verdict, attestation: Attestation, rule: str) -> None:
    key = recipient_key("acme", WORKSPACE) if isinstance(getattr(verdict, "after", None), Recipient) else KEY
    found = objections(key, verdict, attestation, Prerequisites())
    assert [objection.rule for objection in found] == ([rule] if rule else [])
    assert all(not objection.lift for objection in found)


def test_what_only_removes_goes_first() -> None:
    gone = updated(SHARE, replace(SHARE, recipients=frozenset()))
    swapped = updated(SHARE, replace(SHARE, recipients=frozenset({"bolt"})))
    assert only_removes_access(gone)
    assert only_removes_access(Delete(SHARE))
    assert not only_removes_access(swapped)
    assert removes_access(swapped)
    assert not only_removes_access(updated(SHARE, replace(SHARE, comment="new")))
    assert not only_removes_access(Keep(SHARE))


def test_every_prerequisite_is_an_objection_of_its_own() -> None:
    missing = Prerequisites(("a", "b"), ("c",), {"acme": "is held itself"}, (("d", "is a view"),))
    assert [(objection.rule, objection.lift) for objection in prerequisite_objections(missing)] == [
        ("object-missing", ""),
        ("object-unreadable", ""),
        ("object-unfit", ""),
        ("recipient-missing", ""),
    ]
