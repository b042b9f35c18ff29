"""Problems as SARIF 2.1.0, for GitHub's code scanning. Pure strings; decides how a problem is told and by what it is
known again, not what is wrong."""

import json
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from hashlib import sha256
from typing import Any, Final
from urllib.parse import quote

from reconciler.core.problem import Problem, Severity, Where
from reconciler.render.lines import visible
from reconciler.render.problems import problem_words

_SCHEMA: Final = "https://json.schemastore.org/sarif-2.1.0.json"
#: GitHub refuses a run with more results.
MOST_RESULTS: Final = 25_000
_LEVELS: Final = {Severity.ERROR: "error", Severity.WARNING: "warning"}


def problems_sarif(problems: Sequence[Problem], rules: Mapping[str, str], version: str) -> str:
    """`rules` by their ids, with their meaning. Paths are to be relative to the repository's top."""
    in_order = sorted(problems, key=lambda problem: not problem.is_error)
    run = {
        "tool": {"driver": {"name": "sharepack", "semanticVersion": version, "rules": list(_rules(rules))}},
        "invocations": [_invocation(len(in_order) - MOST_RESULTS)],
        "columnKind": "unicodeCodePoints",
        "results": list(_results(in_order[:MOST_RESULTS], {rule: number for number, rule in enumerate(rules)})),
    }
    return json.dumps({"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}, indent=2) + "\n"


def _rules(rules: Mapping[str, str]) -> Iterator[Mapping[str, Any]]:
    for rule, meaning in rules.items():
        text = {"text": meaning}
        yield {"id": rule, "name": rule, "shortDescription": text, "fullDescription": text, "help": text}


def _invocation(left_out: int) -> Mapping[str, Any]:
    if left_out <= 0:
        return {"executionSuccessful": True}
    text = f"{left_out} more problems are left out: a file of this kind holds {MOST_RESULTS} at most."
    notification = {"level": "warning", "message": {"text": text}}
    return {"executionSuccessful": True, "toolExecutionNotifications": [notification]}


def _results(problems: Sequence[Problem], positions: Mapping[str, int]) -> Iterator[Mapping[str, Any]]:
    seen: Counter[str] = Counter()
    for problem in problems:
        fingerprint = _fingerprint(problem)
        seen[fingerprint] += 1
        result: dict[str, Any] = {
            "ruleId": problem.rule,
            "ruleIndex": positions[problem.rule],
            "level": _LEVELS[problem.severity],
            "message": {"text": visible(_words(problem))},
            "locations": [_location(problem.where)],
            "partialFingerprints": {"primaryLocationLineHash": f"{fingerprint}:{seen[fingerprint]}"},
        }
        if problem.also is not None:
            result["relatedLocations"] = [_location(problem.also)]
        yield result


def _fingerprint(problem: Problem) -> str:
    """By what a problem is known again after lines above it have come or gone. GitHub heeds the name
    `primaryLocationLineHash` alone, and cannot make one of a workbook itself."""
    place = problem.where
    parts = (problem.rule, place.path, place.sheet, place.cell, problem.message)
    return sha256("\0".join(parts).encode("utf-8", "surrogatepass")).hexdigest()[:16]


def _words(problem: Problem) -> str:
    place = problem.where
    cell = f"{place.sheet}!{place.cell}: " if place.cell else f"{place.sheet}: " if place.sheet else ""
    # Plain messages may hold links as Markdown has them; a pack is not to set any.
    return f"{cell}{problem_words(problem)}".replace("](", "] (")


def _location(place: Where) -> Mapping[str, Any]:
    """GitHub asks for a region, also of a workbook and of a file as a whole."""
    line, column = max(1, place.line), max(1, place.column)
    region = {"startLine": line, "startColumn": column, "endLine": line, "endColumn": column + 1}
    uri = quote(_path_bytes(place.path))
    found: dict[str, Any] = {"physicalLocation": {"artifactLocation": {"uri": uri}, "region": region}}
    if place.sheet:
        name = f"{place.sheet}!{place.cell}" if place.cell else place.sheet
        found["logicalLocations"] = [{"fullyQualifiedName": name, "kind": "object"}]
    return found


def _path_bytes(path: str) -> bytes:
    """As the file system has it; a text that no file system gave keeps what can be told of it."""
    try:
        return path.encode("utf-8", "surrogateescape")
    except UnicodeEncodeError:
        return path.encode("utf-8", "replace")
