"""What stands at the place of a problem: the line of a text file, the value of a workbook's cell."""

from collections import defaultdict
from collections.abc import Iterable, Mapping

from reconciler.core.problem import Where
from reconciler.packs.file_names import WORKBOOK_ENDINGS, ending
from reconciler.packs.yaml_file import split_lines


def excerpts(files: Mapping[str, bytes], places: Iterable[Where]) -> Mapping[Where, str]:
    by_path: defaultdict[str, list[Where]] = defaultdict(list)
    for place in places:
        if place.line or place.cell:
            by_path[place.path].append(place)
    found: dict[Where, str] = {}
    for path, wanted in by_path.items():
        found |= _cells(files[path], wanted) if ending(path) in WORKBOOK_ENDINGS else _lines(files[path], wanted)
    return found


def _lines(data: bytes, wanted: Iterable[Where]) -> Mapping[Where, str]:
    lines = split_lines(data.decode("utf-8-sig", errors="replace"))
    return {place: lines[place.line - 1] for place in wanted if place.line <= len(lines)}


def _cells(data: bytes, wanted: Iterable[Where]) -> Mapping[Where, str]:
    from reconciler.packs.workbook import cell_values  # noqa: PLC0415 - openpyxl takes 0.2 s to import

    values = cell_values(data, {(place.sheet, place.cell) for place in wanted})
    return {place: values.get((place.sheet, place.cell), "") for place in wanted}
