"""The table of rules and the code agree, and every rule is shown by some example."""

import ast
import re
from pathlib import Path

import reconciler.packs
from reconciler.packs.rules import RULES
from tests.packs import test_hostile, test_limits, test_workbook, test_workbook_version
from tests.packs.examples import INVALID

_SHOWN_IN_CODE = (test_hostile, test_limits, test_workbook, test_workbook_version)
CODE = Path(reconciler.packs.__file__).parent


def texts(path: Path) -> set[str]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    return {node.value for node in ast.walk(tree) if isinstance(node, ast.Constant) and isinstance(node.value, str)}


def test_every_rule_is_used_and_none_is_missing_from_the_table() -> None:
    used = set().union(*(texts(path) for path in CODE.glob("*.py") if path.name != "rules.py"))
    prefixes = {rule.partition("-")[0] for rule in RULES}
    like_rules = {
        text for text in used if re.fullmatch(r"[a-z]+(-[a-z0-9]+)+", text) and text.partition("-")[0] in prefixes
    }
    assert RULES.keys() - used == set()
    assert like_rules - RULES.keys() <= {"utf-8-sig", "data-sharing-admins"}


def test_every_rule_has_an_example() -> None:
    shown = " ".join(path.read_text(encoding="utf-8") for path in INVALID.glob("*.problems"))
    also = set().union(*(texts(Path(str(module.__file__))) for module in _SHOWN_IN_CODE))
    assert {rule for rule in RULES if f" {rule}\n" not in shown and rule not in also} == set()


def test_rules_are_kebab_case_and_explained_in_one_line() -> None:
    for rule, meaning in RULES.items():
        assert re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)+", rule)
        assert meaning.endswith(".")
        assert "\n" not in meaning
