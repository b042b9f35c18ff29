"""What GitHub is told in workflow commands: whole, and that nothing of a pack becomes a command."""

from hypothesis import given, settings
from hypothesis import strategies as st

from reconciler.core.problem import Problem, Severity, Where
from reconciler.render.annotations import problems_github
from tests.workflows.commands import Command, parse_line

YAML = Where("sharepacks/sales/orders.yaml", 11, 27)


def test_a_problem_names_file_line_column_and_rule() -> None:
    also = Where("sharepacks/b.yaml", 8, 5)
    text = problems_github([Problem(YAML, "name-duplicate", "twice", "keep one", also=also)])
    assert text == (
        "::error file=sharepacks/sales/orders.yaml,line=11,col=27,title=name-duplicate::"
        "twice; keep one (see sharepacks/b.yaml:8:5)\n"
    )


def test_a_problem_of_a_workbook_names_sheet_and_cell_in_its_words() -> None:
    where = Where("sharepacks/q1.xlsx", sheet="Shares", cell="B2")
    text = problems_github([Problem(where, "workbook-formula", "a formula", "", Severity.WARNING)])
    assert text == "::warning file=sharepacks/q1.xlsx,title=workbook-formula::Shares!B2: a formula\n"
    sheet = problems_github([Problem(Where("q.xlsx", sheet="Shares"), "workbook-hidden", "hidden")])
    assert sheet == "::error file=q.xlsx,title=workbook-hidden::Shares: hidden\n"


def test_nothing_in_a_file_can_forge_an_annotation() -> None:
    where = Where("a,b:c%.yaml", sheet="Sh,eet", cell="A1")
    text = problems_github([Problem(where, "key-unknown", "100%\n::error file=x::forged\r\n", "\x1b[31m")])
    assert text == (
        "::error file=a%2Cb%3Ac%25.yaml,title=key-unknown::"
        "Sh,eet!A1: 100%25%0A::error file=x::forged%0D%0A; \\x1b[31m\n"
    )


NASTY = st.sampled_from(
    ["::stop-commands::x\n", "\r", "\n", "%", "%0A", ":", ",", "::", "##[add-mask]x", "\x85", "\u2028"]
)
TEXT = st.lists(NASTY | st.text(max_size=5), max_size=8).map("".join)


@settings(deadline=None)
@given(path=TEXT, sheet=TEXT, message=TEXT, hint=TEXT)
def test_a_problem_is_one_command_that_says_what_it_says(path: str, sheet: str, message: str, hint: str) -> None:
    text = problems_github([Problem(Where(path, 1, 2, sheet), "key-unknown", message, hint)])
    assert text.endswith("\n")
    # As the runner reads its lines: at \r, \n and \r\n.
    assert len(text[:-1].replace("\r", "\n").split("\n")) == 1
    command = parse_line(text[:-1])
    assert isinstance(command, Command)
    assert (command.name, command.properties["line"], command.properties["col"]) == ("error", "1", "2")
    assert set(command.properties) <= {"file", "line", "col", "title"}
    assert command.properties["title"] == "key-unknown"


def test_what_github_leaves_out_is_counted_and_errors_come_first() -> None:
    warning = Problem(YAML, "expiry-past", "past", severity=Severity.WARNING)
    error = Problem(YAML, "key-unknown", "unknown")
    lines = problems_github([*[warning] * 11, *[error] * 25]).splitlines()
    assert [line.partition(" ")[0] for line in lines] == ["::error"] * 25 + ["::warning"] * 11 + ["::notice"]
    assert lines[-1] == (
        "::notice title=sharepack validate::GitHub shows 10 errors and 10 warnings of a step. "
        "Not shown here, but in the log: 15 more errors and 1 more warning."
    )
    assert len(problems_github([*[warning] * 10, *[error] * 10]).splitlines()) == 20


def test_a_long_message_is_cut_where_it_can_be_seen() -> None:
    text = problems_github([Problem(YAML, "text-too-long", "x" * 200_000)])
    assert len(text) < 2_200
    assert text.endswith("x... (cut)\n")
