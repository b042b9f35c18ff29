"""The example files beside this module: what stands in `invalid` has its expected problems next to it."""

from collections.abc import Mapping
from datetime import date
from pathlib import Path

from reconciler.core.desired import Desired, Revision
from reconciler.core.problem import Problem
from reconciler.packs.reading import read_packs

EXAMPLES = Path(__file__).parent / "examples"
INVALID = EXAMPLES / "invalid"
#: The day on which the examples are read.
TODAY = date(2026, 11, 1)
#: A file is an example by itself, a folder is one packs folder.
CASES = sorted(path.name for path in INVALID.iterdir() if path.suffix != ".problems")


def files_of(case: str) -> Mapping[str, bytes]:
    place = INVALID / case
    if place.is_file():
        return {place.name: place.read_bytes()}
    return files_below(place)


def files_below(place: Path) -> Mapping[str, bytes]:
    return {path.relative_to(place).as_posix(): path.read_bytes() for path in place.rglob("*") if path.is_file()}


def expected_file(case: str) -> Path:
    return INVALID / f"{Path(case).stem}.problems"


def read(files: Mapping[str, bytes], workspace: str = "https://w") -> Desired:
    return read_packs(files, Revision(), workspace, packs_folder="", today=TODAY)


def written(problem: Problem) -> str:
    also = f" (see {problem.also})" if problem.also else ""
    hint = f"\n    hint: {problem.hint}" if problem.hint else ""
    return f"{problem.where}: {problem.severity}: {problem.rule}\n    {problem.message}{also}{hint}\n"


def written_all(files: Mapping[str, bytes]) -> str:
    return "".join(written(problem) for problem in read(files).problems)
