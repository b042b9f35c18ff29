"""The page about running and the files beside it, read."""

import json
import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

import yaml

from reconciler.settings import Settings

ROOT: Final = Path(__file__).parents[2]
PAGE: Final = ROOT / "docs/running.md"
FOLDER: Final = ROOT / "docs/running"
UNITS: Final = ("sharepack-daemon.service", "sharepack-worker@.service")
TEXT: Final = PAGE.read_text(encoding="utf-8")
CONTAINERFILE: Final = (FOLDER / "Containerfile").read_text(encoding="utf-8")


def commands() -> Iterator[str]:
    """Every command line of ours: in the page, in the units, in the image and on Container Apps."""
    for block in re.findall(r"```bash\n(.*?)```", TEXT, re.DOTALL):
        yield from re.findall(r"(?:^|/bin/)sharepack\b(?!-)([^\n'#]*)", block, re.MULTILINE)
    yield from re.findall(r"`sharepack\b(?!-)([^`]*)`", TEXT)
    for unit in UNITS:
        yield unit_lines(unit)["Service"]["ExecStart"].removeprefix("/opt/sharepack/bin/sharepack ")
    yield shlex.join(instruction("CMD"))
    yield shlex.join(container_app()["properties"]["template"]["containers"][0]["args"])


def variables() -> Iterator[str]:
    yield from re.findall(r"^#?([A-Z][A-Z_]+)=", (FOLDER / "sharepack.env").read_text(encoding="utf-8"), re.MULTILINE)
    yield from re.findall(r"(?:^ENV |^    )([A-Z_]+)=", CONTAINERFILE, re.MULTILINE)
    template = container_app()["properties"]["template"]
    for container in (*template["initContainers"], *template["containers"]):
        yield from (each["name"] for each in container["env"])
    yield from re.findall(r"`([A-Z]+_[A-Z_]+)(?:=[^`]*)?`", TEXT)
    # In code spans; what begins with sharepack_ is a metric.
    yield from re.findall(r"`(?!sharepack_)([a-z]+(?:_[a-z]+)+)(?:=[^`]*)?`", TEXT)


def rules() -> list[dict[str, Any]]:
    groups = yaml.safe_load((FOLDER / "sharepack-alerts.yaml").read_text(encoding="utf-8"))["groups"]
    return [rule for group in groups for rule in group["rules"]]


def port() -> str:
    return str(Settings.model_fields["health_port"].default)


def unit_lines(name: str) -> dict[str, dict[str, str]]:
    sections: dict[str, dict[str, str]] = {}
    for number, line in enumerate((FOLDER / name).read_text(encoding="utf-8").splitlines(), 1):
        if not line or line.startswith("#"):
            continue
        if (header := re.fullmatch(r"\[(\w+)\]", line)) is not None:
            section = sections.setdefault(header[1], {})
            continue
        setting, equals, value = line.partition("=")
        assert equals, f"{name}:{number} is no setting"
        assert re.fullmatch(r"[A-Z]\w+", setting), f"{name}:{number}"
        assert setting not in section, f"{name}:{number} says {setting} twice"
        section[setting] = value
    return sections


def instruction(name: str) -> list[str]:
    """The last one of that name, in its exec form."""
    found = re.findall(rf"^{name} (.*)$", CONTAINERFILE, re.MULTILINE)
    words: list[str] = json.loads(found[-1][found[-1].index("[") :])
    return words


def container_app() -> dict[str, Any]:
    parsed: dict[str, Any] = yaml.safe_load((FOLDER / "container-app.yaml").read_text(encoding="utf-8"))
    return parsed
