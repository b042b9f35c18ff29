"""One file to a document with places, or to problems. Depends on the file's bytes alone, so the result may be kept by
the digest of the bytes; what several files decide together is in `reading`."""

import re
from dataclasses import dataclass, replace
from functools import lru_cache, partial
from typing import Any, Final

from pydantic import ValidationError

from reconciler.core.problem import Problem
from reconciler.packs.content import check_pack
from reconciler.packs.document import PackDocument
from reconciler.packs.file_names import FOREIGN_ENDINGS, WORKBOOK_ENDINGS, YAML_ENDINGS, ending
from reconciler.packs.finding import Finding, enough, limited, problem_of, problem_of_flaw
from reconciler.packs.plain_yaml import read_plain
from reconciler.packs.shape import fit, is_settled
from reconciler.packs.tree import Flaw, Loc, Odd, Places, Spot, Tree
from reconciler.packs.yaml_file import read_yaml, split_lines

MAX_YAML_BYTES: Final = 5_000_000
MAX_WORKBOOK_BYTES: Final = 20_000_000

_NOT_YAML: Final = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_BYTE_ORDER_MARKS: Final = ((b"\xff\xfe", "UTF-16"), (b"\xfe\xff", "UTF-16"), (b"\x00\x00\xfe\xff", "UTF-32"))


@dataclass(frozen=True, slots=True)
class ParsedFile:
    path: str
    #: Mended where there are problems; None when the file cannot be read as a pack at all.
    document: PackDocument | None
    places: Places
    problems: tuple[Problem, ...] = ()
    #: What the file says it is, as far as that can be relied on.
    business_line: str = ""
    project_name: str = ""
    #: Where something has been said already, so that later checks add no consequences of it.
    settled: frozenset[Loc] = frozenset()

    @property
    def file_format(self) -> str:
        return "xlsx" if ending(self.path) in WORKBOOK_ENDINGS else "yaml"

    @property
    def is_broken(self) -> bool:
        return self.document is None or any(problem.is_error for problem in self.problems)

    def moved_to(self, path: str) -> "ParsedFile":
        """The same bytes at another path."""
        problems = tuple(
            replace(p, where=replace(p.where, path=path), also=p.also and replace(p.also, path=path))
            for p in self.problems
        )
        return replace(self, path=path, places=replace(self.places, path=path), problems=problems)


def parse_file(path: str, data: bytes) -> ParsedFile:
    """Never raises, whatever the bytes are."""
    return _sound(path, data) or _examined(path, data)


def _sound(path: str, data: bytes) -> ParsedFile | None:
    """A YAML pack with nothing to be said of it, as nearly all are: where its values stand is found when asked for."""
    text = yaml_text(data) if ending(path) in YAML_ENDINGS and len(data) <= MAX_YAML_BYTES else None
    plain = read_plain(text) if isinstance(text, str) else None
    if plain is None:
        return None
    try:
        document = PackDocument.model_validate(plain.data)
    except ValidationError:
        return None
    if next(check_pack(document), None) is not None:
        return None
    places = Places(path, partial(_root, data), plain.entries)
    metadata = document.metadata
    return ParsedFile(path, document, places, (), metadata.business_line, metadata.project_name)


@lru_cache(maxsize=16)  # when many places of one file are asked for, they are asked for together
def _root(data: bytes) -> Spot:
    text = yaml_text(data)
    return Spot((0, 0)) if isinstance(text, Flaw) else read_yaml(text).spot


def _examined(path: str, data: bytes) -> ParsedFile:
    """With every problem and every place."""
    tree = read_tree(path, data)
    places = Places(path, tree.spot, tree.known)
    problems = [problem_of_flaw(flaw, path) for flaw in tree.flaws]
    line, project = _claimed(tree.data)
    if not tree.is_whole or tree.data is Odd.REFUSED:
        return ParsedFile(path, None, places, limited(problems, path), line, project)
    content, findings = _without_pipelines(tree.data)
    fitted = fit(PackDocument, content)
    findings.extend(fitted.findings)
    if fitted.document is not None:
        checked = check_pack(fitted.document)
        findings.extend(enough(f for f in checked if not is_settled(f.loc, fitted.settled)))
    problems.extend(problem_of(finding, places) for finding in findings)
    return ParsedFile(path, fitted.document, places, limited(problems, path), line, project, fitted.settled)


def read_tree(path: str, data: bytes) -> Tree:
    kind = ending(path)
    if kind in FOREIGN_ENDINGS:
        message = f"{kind} files are not read"
        return refused_file(Flaw((0, 0), "workbook-format", message, "save the workbook as .xlsx, without macros"))
    limit = MAX_YAML_BYTES if kind in YAML_ENDINGS else MAX_WORKBOOK_BYTES
    if len(data) > limit:
        message = f"the file is larger than {limit // 1_000_000} MB"
        return refused_file(Flaw((0, 0), "file-too-large", message, "split the pack"))
    if kind in YAML_ENDINGS:
        text = yaml_text(data)
        return refused_file(text) if isinstance(text, Flaw) else read_yaml(text)
    from reconciler.packs.workbook import read_workbook  # noqa: PLC0415 - openpyxl takes 0.2 s to import

    return read_workbook(data)


def refused_file(flaw: Flaw) -> Tree:
    return Tree(Odd.REFUSED, Spot((0, 0)), (flaw,), is_whole=False)


def yaml_text(data: bytes) -> str | Flaw:
    for mark, name in _BYTE_ORDER_MARKS:
        if data.startswith(mark):
            return Flaw((1, 1), "file-encoding", f"the file is {name}", "save it as UTF-8")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = bytes(error.object[: error.start]).decode("utf-8")
        message = f"the byte 0x{error.object[error.start]:02X} is not UTF-8"
        return Flaw(_end_of(before), "file-encoding", message, "save the file as UTF-8; it may be Latin-1")
    if not text.strip():
        return Flaw((1, 1), "file-empty", "the file holds nothing", "write a pack, or delete the file")
    bad = _NOT_YAML.search(text)
    if bad:
        message = f"the control character U+{ord(bad[0]):04X} stands here"
        return Flaw(_end_of(text[: bad.start()]), "file-control-character", message, "remove it")
    return text


def _end_of(text: str) -> tuple[int, int]:
    lines = split_lines(text)
    return (len(lines), len(lines[-1]) + 1)


def _claimed(data: object) -> tuple[str, str]:
    metadata = data.get("metadata") if isinstance(data, dict) else None
    if not isinstance(metadata, dict):
        return "", ""
    line, project = metadata.get("business_line"), metadata.get("project_name")
    return (line if isinstance(line, str) else "", project if isinstance(project, str) else "")


def _without_pipelines(data: Any) -> tuple[Any, list[Finding]]:
    """Pipelines come later: a pack that declares some is told so, one with an empty list is not bothered."""
    if not isinstance(data, dict):
        return data, []
    findings: list[Finding] = []
    for key in ("pipeline", "pipelines"):
        if key in data and data[key] not in ([], {}):
            loc: Loc = (key,)
            findings.append(
                Finding(
                    loc,
                    "pipelines-not-supported",
                    "pipelines are not supported yet",
                    "leave them out; nothing was created for them",
                    at_key=True,
                )
            )
    return {key: value for key, value in data.items() if key not in {"pipeline", "pipelines"}}, findings
