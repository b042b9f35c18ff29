"""Whether a token is due: by age, by its number, by its life, by a person's word; and never twice."""

from dataclasses import replace

import pytest

from reconciler.core.actual import Absent, Found, Observed, Token, Unreadable
from reconciler.core.calls import RotateToken, UpdateRecipient
from reconciler.core.changes import Cause, TokenChange, TokenRotated, TokenShortened, ValueSet
from reconciler.core.compare import ThreeStates, compare
from reconciler.core.key import recipient_key
from reconciler.core.lowering import lower
from reconciler.core.managed import UNMANAGED
from reconciler.core.recipient import OidcSharing, Recipient, TokenSharing
from reconciler.core.resource_encoding import decode_token_change, encode_token_change
from reconciler.core.rotation import DEFAULT_OVERLAP, overlap_of, rotation_objections, still_due, token_change
from reconciler.core.verdict import Adopt, Rename, Update
from tests.core.model import DAY, NOW, ModelWorkspace
from tests.core.worlds import SALES_Q1, WORKSPACE, a_pack, desired_of, found_with, planned, recorded_of, rules, step_of

HOUR, DAYS = 3600, DAY // 1000
KEY = recipient_key("acme", WORKSPACE)
ACME = Recipient("acme", TokenSharing())
ROTATING = replace(ACME, rotate_every=90 * DAYS, rotation_overlap=3 * DAYS)
LIVING = replace(ACME, token_lifetime=100 * DAYS)


def token(age: int, ends: int | None = NOW + 300 * DAY, id_: str = "t1") -> Token:
    """`age` in days."""
    return Token(id_, NOW - age * DAY, ends)


def of(*tokens: Token) -> Found:
    return Found(ACME, tokens=tokens)


def rotated(age: int, overlap: int, ends: int | None = NOW + 300 * DAY) -> TokenRotated:
    return TokenRotated("t1", NOW - age * DAY, overlap, ends)


def shortened(after: int, before: int | None = NOW + 300 * DAY) -> TokenShortened:
    return TokenShortened("t1", before, after)


OLDER_LIVE, OLDER_ENDED = token(200, NOW + DAY, "t0"), token(200, NOW - 1, "t0")


@pytest.mark.parametrize(
    ("desired", "observed", "asked", "expected"),
    [
        pytest.param(ROTATING, of(token(89)), None, None, id="not due"),
        pytest.param(ROTATING, of(token(90)), None, rotated(90, 3 * DAYS), id="due on the day"),
        pytest.param(ROTATING, of(token(90), OLDER_ENDED), None, rotated(90, 3 * DAYS), id="the older one has ended"),
        pytest.param(ROTATING, of(token(90), OLDER_LIVE), None, None, id="two live tokens: wait"),
        pytest.param(
            replace(ROTATING, token_lifetime=95 * DAYS),
            of(token(200), OLDER_LIVE),
            None,
            None,
            id="due, and two live tokens: nothing is taken from its reader meanwhile",
        ),
        pytest.param(
            replace(ROTATING, rotation_overlap=UNMANAGED),
            of(token(91, None)),
            None,
            rotated(91, DEFAULT_OVERLAP, None),
            id="seven days unless said",
        ),
        pytest.param(ACME, of(token(5000)), None, None, id="nobody wants it rotated"),
        pytest.param(ACME, of(token(1)), 2 * HOUR, rotated(1, 2 * HOUR), id="asked"),
        pytest.param(ROTATING, of(token(95)), 0, rotated(95, 0), id="asked with another overlap"),
        pytest.param(LIVING, of(token(10)), None, shortened(NOW + 90 * DAY), id="lives too long"),
        pytest.param(LIVING, of(token(10, None)), None, shortened(NOW + 90 * DAY, None), id="never ends"),
        pytest.param(LIVING, of(token(10, NOW + 90 * DAY)), None, None, id="ends in time"),
        pytest.param(LIVING, of(token(10, NOW + 90 * DAY + HOUR * 1000)), None, None, id="the time a call takes"),
        pytest.param(LIVING, of(token(10, NOW + 50 * DAY)), None, None, id="ends sooner than it must"),
        pytest.param(LIVING, of(token(99)), None, shortened(NOW + 7 * DAY), id="never to less than the overlap"),
        pytest.param(LIVING, of(token(500)), None, shortened(NOW + 7 * DAY), id="not even when long overdue"),
        pytest.param(
            replace(LIVING, rotate_every=900 * DAYS, rotation_overlap=0),
            of(token(500)),
            None,
            shortened(NOW + HOUR * 1000),
            id="nor to the past",
        ),
        pytest.param(replace(ROTATING, authentication=OidcSharing()), of(token(99)), None, None, id="no tokens at all"),
        pytest.param(ROTATING, of(), None, None, id="none is listed"),
        pytest.param(ROTATING, Absent(), 5, None, id="not there"),
        pytest.param(ROTATING, Unreadable("403"), 5, None, id="not readable"),
    ],
)
def test_what_is_to_be_done_about_a_token(
    desired: Recipient, observed: Observed, asked: int | None, expected: TokenChange | None
) -> None:
    assert token_change(desired, observed, NOW, asked) == expected
    if expected is not None:
        assert decode_token_change(encode_token_change(expected)) == expected
        assert still_due(expected, observed, desired) == expected  # type: ignore[arg-type]


def test_once_another_token_is_newer_the_rotation_has_been_done() -> None:
    change = rotated(90, 3 * DAYS)
    newer = Token("t2", NOW, NOW + 365 * DAY)
    assert still_due(change, of(newer, token(90)), ROTATING) is None
    assert still_due(change, of(), ROTATING) is None
    assert still_due(None, of(newer), ROTATING) is None
    rest = still_due(change, of(newer, token(90)), replace(ROTATING, token_lifetime=100 * DAYS))
    assert rest == TokenShortened("t2", NOW + 365 * DAY, NOW + 100 * DAY)


def test_a_token_that_ends_early_enough_by_now_is_left_alone() -> None:
    change = shortened(NOW + 90 * DAY)
    assert still_due(change, of(token(10, NOW + 80 * DAY)), LIVING) is None
    assert still_due(change, of(token(10, NOW + 95 * DAY)), LIVING) == change


def test_a_third_token_is_an_objection_that_says_until_when() -> None:
    rows = recorded_of({KEY: (ACME, SALES_Q1)})
    two = {KEY: found_with(ACME, tokens=(token(5), OLDER_LIVE))}
    step = step_of(planned(desired_of(a_pack(SALES_Q1, ACME)), rows, two, rotations={KEY: 60}), KEY)
    assert rules(step) == ["two-tokens"]
    assert not step.objections[0].lift
    assert "2030-03-18" in step.objections[0].hint
    assert list(rotation_objections(shortened(NOW), two[KEY], NOW)) == []


@pytest.mark.parametrize(
    ("overlap", "ends_at", "asked"),
    [(7 * DAYS, UNMANAGED, 7 * DAYS), (7 * DAYS, NOW + 3 * DAY, 3 * DAYS), (0, NOW + DAY, 0), (60, NOW - DAY, 0)],
)
def test_no_more_is_asked_for_than_the_old_token_has_left(overlap: int, ends_at: int, asked: int) -> None:
    """Contract 2.5: its end cannot be put off, and asking for it is refused."""
    assert RotateToken(KEY, "t1", overlap, ends_at).overlap_at(NOW) == asked


def test_a_rotation_shortly_before_the_end_is_taken_by_databricks() -> None:
    life = replace(ROTATING, token_lifetime=93 * DAYS)
    old = token(91, NOW + 2 * DAY)
    workspace = ModelWorkspace({KEY: replace(ACME, comment="", owner="robot")}, {KEY: [old]})
    observed = found_with(life, tokens=(old,))
    verdict = compare(ThreeStates(life, life, observed, token=token_change(life, observed, NOW)))
    for operation in lower(KEY, verdict):
        workspace.perform(operation.call)
    newest, former = workspace.tokens[KEY]
    assert former.expires_at is not None
    assert former.expires_at <= NOW + 2 * DAY
    assert newest.expires_at is not None
    assert abs(newest.expires_at - (workspace.now + 93 * DAY)) <= 2000


def test_the_end_of_a_new_token_is_set_on_the_new_one() -> None:
    """A later end than the old token's cannot be had otherwise: that is what the hint of that objection says to do."""
    later = replace(ACME, comment="new", expires_at=NOW + 100 * DAY)
    rows = recorded_of({KEY: (later, SALES_Q1)})
    seen = {KEY: found_with(replace(ACME, expires_at=NOW + 10 * DAY), tokens=(token(200, NOW + 10 * DAY),))}
    held = step_of(planned(desired_of(a_pack(SALES_Q1, later)), rows, seen), KEY)
    assert rules(held) == ["expiry-not-extendable"]
    assert "sharepack rotate acme" in held.objections[0].hint
    step = step_of(planned(desired_of(a_pack(SALES_Q1, later)), rows, seen, rotations={KEY: 60}), KEY)
    assert step.objections == ()
    calls = [operation.call for operation in lower(KEY, step.verdict)]
    assert calls == [
        UpdateRecipient(KEY, comment="new"),
        RotateToken(KEY, "t1", 60, NOW + 10 * DAY),
        UpdateRecipient(KEY, expires_at=NOW + 100 * DAY),
    ]


def test_a_token_is_replaced_also_when_its_recipient_is_adopted_or_renamed() -> None:
    change, observed = rotated(95, 3 * DAYS), Found(replace(ACME, comment=""), tokens=(token(95),))
    adopted = compare(ThreeStates(ROTATING, None, observed, adopt=True, token=change))
    assert adopted == Adopt(observed.resource, ROTATING, (change,))
    renamed = compare(ThreeStates(ROTATING, ACME, observed, renames=True, token=change))
    assert renamed == Rename(observed.resource, ROTATING, (change,))


def test_a_token_to_replace_and_a_field_to_change_are_one_update() -> None:
    observed = Found(replace(ACME, comment="theirs"), tokens=(token(95),))
    wanted = replace(ROTATING, comment="ours")
    verdict = compare(ThreeStates(wanted, wanted, observed, token=rotated(95, 60)))
    assert isinstance(verdict, Update)
    assert verdict.changes == (ValueSet("comment", "theirs", "ours", Cause.DRIFT, "ours"), rotated(95, 60))
    assert verdict.cause is Cause.BOTH


def test_the_overlap_is_seven_days_unless_said() -> None:
    assert overlap_of(ACME) == DEFAULT_OVERLAP == 7 * DAYS
    assert overlap_of(replace(ROTATING, rotation_overlap=0)) == 0
