"""The tables of the page: each stands between two comments that name it, and is replaced whole."""

import re
from collections.abc import Mapping
from typing import Final

from tests.scale.result import ROOT

PAGE: Final = ROOT / "docs" / "scale.md"
_BLOCK: Final = re.compile(r"<!-- scale:(?P<name>[a-z ]+) -->\n(?P<text>.*?)\n?<!-- /scale -->", re.DOTALL)


def read_blocks(page: str) -> dict[str, str]:
    return {found["name"]: found["text"].strip() for found in _BLOCK.finditer(page)}


def filled(page: str, made: Mapping[str, str]) -> str:
    """Raises KeyError for a block that nothing makes."""
    return _BLOCK.sub(lambda found: f"<!-- scale:{found['name']} -->\n\n{made[found['name']]}\n\n<!-- /scale -->", page)


def form(block: str) -> tuple[str, ...]:
    """What stays the same whatever the numbers are: the head of the table, how many columns each row has, and what its
    rows are called."""
    rows = [line for line in block.splitlines() if line.startswith("|")]
    head, body = rows[0], rows[2:]
    return (head, *(f"{row.count('|')} {_name(row)}" for row in body))


def _name(row: str) -> str:
    """Without numbers, which may be those of another run."""
    return re.sub(r"[\d,.]+", "N", row.split("|")[1].strip())
