"""The long way, briefly: real processes, killed and told and suspended, for some seconds."""

from pathlib import Path

import pytest

from tests.chaos.run import Program, run


@pytest.mark.parametrize("azure", [False, True], ids=["notify", "azurite"])
def test_some_seconds_of_chaos_with_real_processes_end_well(tmp_path: Path, azure: bool) -> None:
    program = Program(seed=11, seconds=6.0, round=6.0, quiet=3.0, azure=azure)
    report, wrong, last = run(program, tmp_path / "a run")
    assert wrong == [], f"{report}\n{last}"
    assert "commit" in report
