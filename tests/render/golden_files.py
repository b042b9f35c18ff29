"""Texts that are kept beside the tests, as a person would read them."""

import os
from pathlib import Path

_FOLDER = Path(__file__).parent / "golden"


def the_text_is_as_committed(name: str, text: str) -> None:
    """Set UPDATE_GOLDEN=1 to write the files anew, and read the difference."""
    path = _FOLDER / name
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(text, encoding="utf-8")
    assert text == path.read_text(encoding="utf-8")
