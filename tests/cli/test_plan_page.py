"""`sharepack plan --html`: the page stands where it was asked for, beside what is said anyway."""

from reconciler.cli.exits import Exit
from tests.cli.conftest import Bench
from tests.render.html.parsed import parse


def test_a_plan_is_written_as_a_page(bench: Bench) -> None:
    planned = bench.run("plan", "--html", "plan.html", "--format", "json")
    assert planned.exit_code == Exit.DONE
    assert planned.stdout.startswith("{")
    elements = parse((bench.repository / "plan.html").read_text(encoding="utf-8"))
    shown = elements[0].text
    assert "sales-analyst" in shown
    assert "Nothing was changed." in shown
    assert {"access", "packs"} <= {each.attributes.get("id") for each in elements}


def test_lists_of_a_page_are_whole_when_that_is_asked_for(bench: Bench) -> None:
    tables = "".join(f"      - prod_catalog.sales.t{number:03}\n" for number in range(120))
    before = bench.pack.read_text(encoding="utf-8")
    first = next(line for line in before.splitlines(keepends=True) if "prod_catalog.sales." in line)
    indent = first[: len(first) - len(first.lstrip())]
    bench.pack.write_text(before.replace(first, first + tables.replace("      ", indent)), encoding="utf-8")
    cut = "more (--full shows all)"
    bench.run("plan", "--html", "cut.html")
    bench.run("plan", "--html", "whole.html", "--full")
    assert cut in (bench.repository / "cut.html").read_text(encoding="utf-8")
    assert cut not in (bench.repository / "whole.html").read_text(encoding="utf-8")


def test_a_page_that_cannot_be_written_is_told(bench: Bench) -> None:
    refused = bench.run("plan", "--html", "no/such/folder/plan.html")
    assert (refused.exit_code, "cannot write" in refused.stderr) == (Exit.ERROR, True)
