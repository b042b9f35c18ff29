"""`python -m tests.scale`: lives the days, measures rows, prints the tables, writes them as JSON; `--write` fills them
into the page."""

import argparse
import json
import sys
from datetime import UTC, datetime
from pathlib import Path

from tests.scale.measure import Measured
from tests.scale.page import PAGE, filled, read_blocks
from tests.scale.result import ROOT, Result, Sizes, run
from tests.scale.tables import blocks

RESULTS = ROOT / ".cache" / "scale"
QUICK = Sizes(((20, 1), (40, 1)), 20, 40, (6, 4), (20, 40), (10, 20), packs_in_workspace=20)


def main() -> int:
    options = _options().parse_args()
    path: Path = options.json or RESULTS / f"{datetime.now(UTC):%Y%m%dT%H%M%SZ}.json"
    if options.given:
        result = Result.from_json(options.given.read_text(encoding="utf-8"))
    else:
        measured = None
        if options.measured:
            measured = Measured.from_json(json.loads(options.measured.read_text(encoding="utf-8")))
        result = run(QUICK if options.quick else Sizes(), options.seed, _say, measured)
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(result.to_json(), encoding="utf-8")
        _say(f"written to {path}")
    made = blocks(result)
    for name, text in made.items():
        print(f"\n## {name}\n\n{text}")
    if options.write:
        page = PAGE.read_text(encoding="utf-8")
        PAGE.write_text(filled(page, made), encoding="utf-8")
        _say(f"{len(read_blocks(page))} tables written into {PAGE.relative_to(ROOT)}")
    return 0


def _say(words: str) -> None:
    print(words, file=sys.stderr, flush=True)


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.scale", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="a few packs: shows that it works")
    parser.add_argument("--write", action="store_true", help="fill the tables of docs/scale.md")
    parser.add_argument("--seed", type=int, default=1, help="of everything that is drawn (%(default)s)")
    parser.add_argument("--json", type=Path, help="file for the results (.cache/scale/TIME.json)")
    parser.add_argument("--given", type=Path, metavar="FILE", help="results of an earlier run, instead of a new one")
    parser.add_argument("--measured", type=Path, metavar="FILE", help="of `tests.scale.measure`, not to be done again")
    return parser


if __name__ == "__main__":
    sys.exit(main())
