"""`sharepack demo`: the product in a minute, on a sandbox and a database that end with it. Runs the real commands."""

import time
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

import click

from reconciler.cli.demo_scene import Scene, scene
from reconciler.cli.demo_window import sharepack
from reconciler.cli.exits import Exit
from reconciler.cli.terminal import Failure, leave, say, say_lines
from reconciler.render.lines import EMPTY, Span, Tone, line

_PACK: Final = "sharepacks/sales-operations/sales-data-q1-2024.yaml"
_SHARE: Final = "sales_q1_share"
_REFUNDS: Final = "prod_catalog.sales.refunds"


@click.command()
def command() -> None:
    """Plan, apply, drift, access and history in under a minute, on embedded defaults; leaves nothing behind.

    \b
    Example:
      sharepack demo
    """
    start = time.monotonic()
    with scene() as stage:
        _introduce(stage)
        codes = [_from_nothing()]
        before = datetime.now(UTC)
        codes += [*_a_change(stage), *_drift(stage), *_access(before), _history()]
    _what_next(time.monotonic() - start)
    leave(Exit.DONE if all(code == Exit.DONE for code in codes) else Exit.ERROR)


def _introduce(stage: Scene) -> None:
    packs = (
        "your last commit, in a clone" if stage.is_clone else "the packs of this folder, in a repository made of them"
    )
    _tell(
        "Share packs",
        "A share pack is a file that says which recipients and shares exist, and who may read what.",
        f"This demo plays on {packs}, against a",
        f"sandbox at {stage.url} that speaks the Databricks API, with a PostgreSQL of its own.",
    )


def _from_nothing() -> int:
    _tell("1. Are the files right?", "Needs no network and no database.")
    if sharepack("validate") != Exit.DONE:
        raise Failure("the packs have problems; the demo needs valid ones")
    _tell(
        "2. What would one pack change?", "Access first: that is what a reviewer looks for. Planning changes nothing."
    )
    if not Path(_PACK).is_file():
        raise Failure(f"the demo tells its story with {_PACK}, which these packs do not have")
    sharepack("plan", _PACK)
    _tell("3. Apply all of them", "Each pack is one piece of work in a queue; workers look again before each call.")
    return sharepack("apply", "--auto-approve", head=12, tail=26)


def _a_change(stage: Scene) -> list[int]:
    code = _is_empty("4. A second plan is empty")
    _tell("5. A change, as a pull request would bring it", "One more table, a better comment, committed.")
    pack = Path(_PACK)
    text = pack.read_text(encoding="utf-8")
    changed = text.replace('"Q1 sales data"', '"Q1 sales data with refunds"').rstrip("\n")
    pack.write_text(f"{changed}\n      - {_REFUNDS}\n", encoding="utf-8")
    stage.commit("Share the refunds of Q1")
    return [code, sharepack("apply", _PACK, "--auto-approve")]


def _drift(stage: Scene) -> list[int]:
    _tell("6. Meanwhile somebody changes the workspace by hand", "A stranger gets access, and a table goes missing:")
    stranger = {"name": "stranger-x", "authentication_type": "TOKEN"}
    customers = {"name": "prod_catalog.sales.customers", "data_object_type": "TABLE"}
    for method, path, body in (
        ("POST", "/recipients", stranger),
        ("PATCH", f"/shares/{_SHARE}/permissions", {"changes": [{"principal": "stranger-x", "add": ["SELECT"]}]}),
        ("PATCH", f"/shares/{_SHARE}", {"updates": [{"action": "REMOVE", "data_object": customers}]}),
    ):
        say_lines([line(Span(f"  {stage.by_hand(method, path, body)}", Tone.DRIFT))])
    _tell("", "The plan tells drift from intent, and applying brings the workspace back:")
    sharepack("plan", _PACK)
    code = sharepack("apply", _PACK, "--auto-approve", head=0, tail=4)
    return [code, _is_empty("7. Everything is again as Git says")]


def _is_empty(title: str) -> int:
    _tell(title)
    return sharepack("plan", "--detailed-exitcode")


def _access(before: datetime) -> list[int]:
    _tell("8. Who can read the new table", "From the record: through which share, since when, by which commit.")
    codes = [sharepack("access", "--object", _REFUNDS)]
    _tell("", "And at the time before the change:")
    return [*codes, sharepack("access", "--object", _REFUNDS, "--as-of", f"{before:%Y-%m-%dT%H:%M:%S.%fZ}")]


def _history() -> int:
    _tell("9. What a share was, since when, and why", "Every version is kept, with its commit.")
    return sharepack("history", f"share/{_SHARE}")


def _what_next(seconds: float) -> None:
    _tell(f"That took {seconds:.0f} s, and everything it started has ended.", "Try next:")
    say("  .venv/bin/sharepack sandbox --port 4010   a workspace to play with; it says how to use it from here\n")
    say("  .venv/bin/sharepack plan --help           and so on for every command\n")
    say("  README.md                                 a first pack of your own in five minutes\n")


def _tell(title: str, *words: str) -> None:
    titled = [line(Span(title, Tone.CHANGE))] if title else []
    say_lines([EMPTY, *titled, *(line(each) for each in words), EMPTY])
