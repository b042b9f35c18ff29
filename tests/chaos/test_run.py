"""The long way, briefly: real processes, killed and told and suspended, for some seconds."""

from pathlib import Path

from tests.chaos.run import Program, run


def test_some_seconds_of_chaos_with_real_processes_end_well(tmp_path: Path) -> None:
    program = Program(seed=11, seconds=6.0, round=6.0, quiet=3.0, azure=True)
    report, wrong, last = run(program, tmp_path / "a run")
    assert wrong == [], f"{report}\n{last}"
    assert "commit" in report
