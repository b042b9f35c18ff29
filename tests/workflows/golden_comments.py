"""Comments and issues as committed beside the tests, whole. What differs from run to run is named by the order in which
it appears: commits, fingerprints, ports, numbers of runs."""

import os
import re
from pathlib import Path
from typing import Final

from tests.workflows.scene import Scene

_FOLDER: Final = Path(__file__).parent / "golden"


def the_comment_is_as_committed(scene: Scene, name: str, text: str) -> None:
    """Set UPDATE_GOLDEN=1 to write the files anew, and read the difference."""
    path = _FOLDER / f"{name}.md"
    plain = _plain(scene, text)
    if os.environ.get("UPDATE_GOLDEN"):
        path.write_text(plain, encoding="utf-8")
    assert plain == path.read_text(encoding="utf-8")


def _plain(scene: Scene, text: str) -> str:
    text = text.replace(scene.github.site, "https://github.example")
    text = text.replace(scene.control.url, "https://workspace.example")
    text = text.replace(scene.control.url.removeprefix("http://"), "workspace.example")
    text = re.sub(r"(?<=/actions/runs/)\d+", "RUN", text)
    text = re.sub(r"(?<=issuecomment-)\d+", "COMMENT", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d(:\d\d(\.\d+)?)?", "MOMENT", text)
    text = re.sub(r"\b[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}\b", "UUID", text)
    found: dict[str, str] = {}
    # Short forms of a commit or fingerprint begin as it does.
    return re.sub(r"\b[0-9a-f]{12,64}\b", lambda hex_: _named(found, hex_[0]), text)


def _named(found: dict[str, str], text: str) -> str:
    name = found.setdefault(text[:12], f"hex{len(found) + 1}")
    return f"{name}({len(text)})"
