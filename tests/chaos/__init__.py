"""Chaos: random commits, hand edits, faults and deaths, drawn from one seed. When it is over, the workspace is as Git
says, history has no gap and nothing happened twice. `python -m tests.chaos` runs for minutes, with real processes."""
