"""`sharepack fmt`: pack files and the tenants file in normal form. Reads and writes files; what is normal and what is
left alone is decided in `packs.formatting`."""

import difflib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import assert_never

import click

from reconciler.cli.exits import Exit
from reconciler.cli.new_file import write_file
from reconciler.cli.packs_folder import read_folder
from reconciler.cli.terminal import Failure, leave, mention, say, say_lines, style
from reconciler.cli.validate import packs_dir
from reconciler.core.problem import Problem
from reconciler.packs.excerpt import excerpts
from reconciler.packs.file_names import YAML_ENDINGS, ending, is_pack, is_tenants_file
from reconciler.packs.formatting import Formatted, HasProblems, NotTheSame, Outcome, format_file
from reconciler.packs.parsing import MAX_YAML_BYTES
from reconciler.packs.yaml_file import split_lines
from reconciler.render.lines import EMPTY, Line, Span, Tone, line
from reconciler.render.problems import problems_text, summary_text


@click.command()
@click.argument("paths", metavar="[PATH]...", nargs=-1, type=click.Path(path_type=Path))
@click.option("--check", is_flag=True, help="Write nothing; exit 2 when a file is not in normal form.")
@click.option("--diff", is_flag=True, help="Write nothing; show what would change.")
def command(paths: Sequence[Path], *, check: bool, diff: bool) -> None:
    """Format YAML packs and tenants.yaml: PATH is a file or a folder, by default sharepacks/.

    Keys come in the documented order; recipients, shares and data objects by name, within groups where a blank line
    separates them; comments stay with what they are about. Quotes go where they are not needed. What a pack means never
    changes, and workbooks are left alone.

    Exit code 0 when all is formatted, 2 with --check when a file would change, 3 when a file has problems: it is left
    as it is, and they are shown as validate shows them.

    \b
    Examples:
      sharepack fmt
      sharepack fmt sharepacks/sales/q1.yaml --diff
      sharepack fmt --check
    """
    files = _files(paths or (packs_dir(),))
    outcomes = {path: format_file(path.as_posix(), data) for path, data in files.items()}
    for path, outcome in outcomes.items():
        _settle(path, outcome, is_writing=not check and not diff, is_showing=diff)
    _tell_problems(files, outcomes)
    say(_summary(outcomes, is_writing=not check and not diff))
    leave(_exit(outcomes, is_checking=check))


def _files(paths: Sequence[Path]) -> Mapping[Path, bytes]:
    """YAML packs and tenants files, each once. Raises Failure for what is not there, or is no pack."""
    found: dict[Path, bytes] = {}
    for path in paths:
        try:
            found |= dict(_files_at(path))
        except OSError as error:
            raise Failure(f"{error.filename or path} cannot be read: {error.strerror}") from error
    return found


def _files_at(path: Path) -> Iterator[tuple[Path, bytes]]:
    if not path.exists():
        raise Failure(f"there is no file or folder {path}; name one, or run this where sharepacks/ is")
    if path.is_dir():
        packs = read_folder(path.absolute(), Path.cwd()).packs
        yield from ((Path(name), data) for name, data in packs.items() if ending(name) in YAML_ENDINGS)
    elif not is_pack(path.name) and not is_tenants_file(path.name):
        raise Failure(f"{path} is not a pack: packs are .yaml, .yml or .xlsx files")
    elif ending(path.name) in YAML_ENDINGS:
        with path.open("rb") as stream:
            yield path, stream.read(MAX_YAML_BYTES + 1)


def _settle(path: Path, outcome: Outcome, *, is_writing: bool, is_showing: bool) -> None:
    match outcome:
        case Formatted():
            if not outcome.is_changed:
                return
            if is_showing:
                say_lines(list(_difference(path, outcome)))
            if is_writing:
                write_file(path, outcome.data, force=True)
            say(f"{'Formatted' if is_writing else 'Would format'} {path}.\n")
        case NotTheSame(reason):
            mention([line(f"{path} is left as it is: {reason}")])
        case HasProblems():
            pass
        case _:
            assert_never(outcome)


def _difference(path: Path, outcome: Formatted) -> Iterator[Line]:
    # Without the end of the last line: what is behind it is no line.
    before, after = (
        split_lines(data.decode("utf-8-sig").removesuffix("\n")) for data in (outcome.before, outcome.data)
    )
    tones = {"+": Tone.ADD, "-": Tone.REMOVE, "@": Tone.DIM}
    changes = difflib.unified_diff(before, after, f"{path}", f"{path} (formatted)", lineterm="", n=2)
    for number, text in enumerate(changes):
        yield line(Span(text, Tone.HEADING if number < 2 else tones.get(text[:1], Tone.PLAIN)))
    yield EMPTY


def _tell_problems(files: Mapping[Path, bytes], outcomes: Mapping[Path, Outcome]) -> None:
    problems = _problems(outcomes)
    if problems:
        shown = excerpts({path.as_posix(): data for path, data in files.items()}, [each.where for each in problems])
        left = len({problem.where.path for problem in problems})
        said = summary_text(packs=0, files=len(files), problems=problems)
        say(
            problems_text(problems, shown, style()) + f"{said} {'It is' if left == 1 else 'They are'} left as before.\n"
        )


def _problems(outcomes: Mapping[Path, Outcome]) -> Sequence[Problem]:
    return [problem for each in outcomes.values() if isinstance(each, HasProblems) for problem in each.problems]


def _summary(outcomes: Mapping[Path, Outcome], *, is_writing: bool) -> str:
    fine = [each for each in outcomes.values() if isinstance(each, Formatted)]
    changed = sum(each.is_changed for each in fine)
    verb = "formatted" if is_writing else "would be formatted"
    return f"{_count(changed)} {verb}, {_count(len(fine) - changed)} in normal form already.\n"


def _count(number: int) -> str:
    return f"{number:,} file{'' if number == 1 else 's'}"


def _exit(outcomes: Mapping[Path, Outcome], *, is_checking: bool) -> Exit:
    if any(isinstance(each, NotTheSame) for each in outcomes.values()):
        return Exit.ERROR
    if _problems(outcomes):
        return Exit.INVALID
    would_change = any(isinstance(each, Formatted) and each.is_changed for each in outcomes.values())
    return Exit.CHANGES if is_checking and would_change else Exit.DONE
