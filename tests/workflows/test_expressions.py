"""Expressions mean here what they mean on GitHub, and what is not known here is an error."""

import pytest

from tests.workflows.expressions import Context, ExpressionError, evaluate, interpolate, is_met

NAMES = {
    "github": {"ref": "refs/heads/main", "event": {"issue": {"pull_request": {"merged_at": "2026"}}, "n": 12}},
    "vars": {"HOST": "https://x", "EMPTY": ""},
}
CONTEXT = Context(NAMES)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("'it''s'", "it's"),
        ("vars.HOST != ''", True),
        ("vars.MISSING != ''", False),
        ("vars.MISSING == null", True),
        ("vars.EMPTY || 'other'", "other"),
        ("vars.HOST && 'one' || 'two'", "one"),
        ("'ABC' == 'abc'", True),
        ("1 == '1'", True),
        ("true == 'x'", False),
        ("null == 0", True),
        ("!vars.EMPTY && (false || github.event.n == 12)", True),
        ("github.event.issue.pull_request.merged_at", "2026"),
        ("github.event.nothing.at.all", None),
        ("github.ref == format('refs/heads/{0}', 'main')", True),
        ("contains('Sharepack Approve x', 'sharepack approve ')", True),
        ("contains(github.event.missing, 'x')", False),
        ("true || false && false", True),
    ],
)
def test_values(text: str, value: object) -> None:
    assert evaluate(text, CONTEXT) == value


@pytest.mark.parametrize(
    "text", ["secrets.X", "toJSON(github)", "1 < 2", "a[0]", "'open", "(true", "true true", "github.", "format('x'"]
)
def test_what_is_not_known_here_is_an_error(text: str) -> None:
    with pytest.raises(ExpressionError):
        evaluate(text, CONTEXT)


def test_text_with_expressions_in_it() -> None:
    assert interpolate("a-${{ github.event.n }}-${{ vars.MISSING }}${{ true }}", CONTEXT) == "a-12-true"
    with pytest.raises(ExpressionError):
        interpolate("${{ github.event }}", CONTEXT)


def test_conditions_wait_for_success_unless_they_say_otherwise() -> None:
    failed, cancelled = Context(NAMES, is_failed=True), Context(NAMES, is_cancelled=True)
    for condition in (None, "true", "${{ vars.HOST != '' }}", "success()"):
        assert [is_met(condition, each) for each in (CONTEXT, failed, cancelled)] == [True, False, False]
    assert [is_met("!cancelled()", each) for each in (CONTEXT, failed, cancelled)] == [True, True, False]
    assert [is_met("failure()", each) for each in (CONTEXT, failed, cancelled)] == [False, True, False]
    assert [is_met("${{ always() }}", each) for each in (CONTEXT, failed, cancelled)] == [True, True, True]
    assert not is_met("vars.MISSING", CONTEXT)
