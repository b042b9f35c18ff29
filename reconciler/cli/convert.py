"""`sharepack convert`: a YAML pack as a workbook, or a workbook as YAML. Nothing counts before it is read back."""

import os
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

import click
import yaml

from reconciler.cli.exits import Exit
from reconciler.cli.new_file import is_workbook, refuse_existing, schema_beside, write_file
from reconciler.cli.packs_folder import folder_around
from reconciler.cli.terminal import Failure, leave, say, style_of, write
from reconciler.cli.validate import packs_dir
from reconciler.core.problem import Problem
from reconciler.packs.document import PackDocument
from reconciler.packs.excerpt import excerpts
from reconciler.packs.moving import has_paths, moved
from reconciler.packs.parsing import MAX_WORKBOOK_BYTES, parse_file
from reconciler.packs.writing import to_yaml
from reconciler.render.problems import problems_text, summary_text


@click.command()
@click.argument("source", metavar="IN", type=click.Path(path_type=Path))
@click.argument("target", metavar="OUT", type=click.Path(path_type=Path))
@click.option("--force", is_flag=True, help="Replace OUT if it is there already.")
def command(source: Path, target: Path, *, force: bool) -> None:
    """Convert the pack IN to OUT, from YAML to Excel or back, by the endings of the two names. Loses nothing.

    IN must be valid by itself; what other packs make of it is for validate. IN stays as it is. Exit code 3 when IN has
    problems, 1 when OUT is there already or cannot hold the pack.

    \b
    Examples:
      sharepack convert sharepacks/sales/q1.yaml sharepacks/sales/q1.xlsx
      sharepack convert from-partner.xlsx sharepacks/sales/q1.yaml
    """
    as_workbook = is_workbook(target)
    if is_workbook(source) == as_workbook:
        raise Failure(f"{source} and {target} are of one format; name a .yaml and an .xlsx file")
    refuse_existing(target, force=force)
    data = _read(source)
    document = _document(source, data)
    result = _moved(document, source, target)
    write_file(target, _checked(result, _encoded(result, target, as_workbook=as_workbook), target), force=force)
    say("".join(f"{each}\n" for each in _report(document, source, target, data)))
    leave(Exit.DONE)


def _read(source: Path) -> bytes:
    try:
        with source.open("rb") as stream:
            return stream.read(MAX_WORKBOOK_BYTES + 1)
    except OSError as error:
        raise Failure(f"{source} cannot be read: {error.strerror}") from error


def _document(source: Path, data: bytes) -> PackDocument:
    parsed = parse_file(source.as_posix(), data)
    _tell(parsed.problems, parsed.path, data)
    if parsed.document is None or parsed.is_broken:
        said = summary_text(packs=0, files=1, problems=parsed.problems)
        write(sys.stderr, f"{said} Nothing was written.\n")
        leave(Exit.INVALID)
    return parsed.document


def _tell(problems: Sequence[Problem], path: str, data: bytes) -> None:
    shown = excerpts({path: data}, [problem.where for problem in problems])
    write(sys.stderr, problems_text(problems, shown, style_of(sys.stderr)))


def _moved(document: PackDocument, source: Path, target: Path) -> PackDocument:
    """With the paths of its notebooks as they are from the folder of OUT."""
    here, there = (Path(os.path.normpath(path.absolute())) for path in (source, target))
    if here.parent == there.parent or not has_paths(document):
        return document
    home = packs_dir().absolute()
    folder = folder_around(here, home)
    if folder_around(there, home) != folder:
        raise Failure(
            f"{source} shares notebooks, whose files a pack at {target} cannot name: they lie in {folder}\n"
            "write OUT into the same packs folder, or beside IN"
        )
    return moved(document, here.relative_to(folder).as_posix(), there.relative_to(folder).as_posix())


def _encoded(document: PackDocument, target: Path, *, as_workbook: bool) -> bytes:
    if not as_workbook:
        return to_yaml(document, schema_beside(target)).encode()
    from reconciler.packs.workbook_writing import DoesNotFitError, to_workbook  # noqa: PLC0415 - imports openpyxl

    try:
        return to_workbook(document)
    except DoesNotFitError as error:
        raise Failure(f"the pack does not fit a workbook: {error}\nkeep it as YAML, or split it") from error


def _checked(document: PackDocument, data: bytes, target: Path) -> bytes:
    """Only what reads back as the same pack is written: a file may be too large for the other format."""
    parsed = parse_file(target.as_posix(), data)
    if parsed.document == document and not parsed.is_broken:
        return data
    reasons = [f"{problem.where}: {problem.message}" for problem in parsed.problems if problem.is_error]
    said = "\n".join(reasons[:3]) or "it would not read back as the same pack"
    raise Failure(f"the pack cannot be kept at {target}; nothing was written\n{said}")


def _report(document: PackDocument, source: Path, target: Path, data: bytes) -> Iterator[str]:
    recipients, shares = len(document.recipient), len(document.share)
    yield f"Wrote {target}: {_count(recipients, 'recipient')}, {_count(shares, 'share')}."
    if not is_workbook(source) and _has_comments(data.decode("utf-8-sig")):
        yield f"The comments of {source} are not carried over."
    yield f"Keep one of the two files in the packs folder: {source} declares the same pack."


def _has_comments(text: str) -> bool:
    """Whether a # stands between the tokens; the line by which editors find the schema is written anew."""
    if text.startswith("# yaml-language-server:"):
        text = text.partition("\n")[2]
    at = 0
    for token in yaml.scan(text, Loader=yaml.CSafeLoader):
        if "#" in text[at : token.start_mark.index]:
            return True
        at = max(at, token.end_mark.index)
    return "#" in text[at:]


def _count(number: int, noun: str) -> str:
    return f"{number:,} {noun}{'' if number == 1 else 's'}"
