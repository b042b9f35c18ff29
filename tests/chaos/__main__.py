"""`python -m tests.chaos --minutes 5 --seed 7`: chaos with real processes, then the table of what was done.

Exit code 1 when anything was not as it must be; then the seed and the last of what happened are printed, and the folder
of the run, logs and all, stays."""

import argparse
import random
import shutil
import sys
import tempfile
from pathlib import Path

from tests.chaos.run import Program, run


def main(arguments: list[str] | None = None) -> int:
    options = _options().parse_args(arguments)
    seed = random.randrange(10_000) if options.seed is None else options.seed
    azure = options.queue == "azure" or (options.queue == "either" and seed % 2 == 0)
    program = Program(seed, options.minutes * 60, options.round, options.quiet, azure)
    queue = "Azurite" if azure else "PostgreSQL NOTIFY"
    print(f"Chaos for {options.minutes:g} minutes and the quiet after it, with {queue}, seed {seed}", flush=True)
    folder = Path(tempfile.mkdtemp(prefix="sharepack chaos "))
    report, wrong, last = run(program, folder)
    print(report)
    if wrong:
        print(f"\nNot as it must be, seed {seed}, logs in {folder}:")
        print("\n".join(f"  {line}" for line in wrong))
        print(f"\nThe last of what happened:\n{last}")
        return 1
    shutil.rmtree(folder, ignore_errors=True)
    print("\nAll is as Git says, nothing happened twice, and history has no gap.")
    return 0


def _options() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m tests.chaos", description=__doc__)
    parser.add_argument("--minutes", type=float, default=5.0, help="of chaos, without the quiet (default: %(default)s)")
    parser.add_argument("--seed", type=int, help="decides what happens, though not exactly when (default: any)")
    parser.add_argument(
        "--round", type=float, default=45.0, help="seconds until all is looked at (default: %(default)s)"
    )
    parser.add_argument("--quiet", type=float, default=60.0, help="seconds of quiet at the end (default: %(default)s)")
    parser.add_argument(
        "--queue", choices=("azure", "postgres", "either"), default="either", help="either: by the seed"
    )
    return parser


if __name__ == "__main__":
    sys.exit(main())
