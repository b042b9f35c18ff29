"""What a very large fleet would cost in a day: the real planner against a modelled API, in virtual time. Behind
`docs/scale.md`; it measures nothing that waits (that is `tests.bench`) and proves nothing about faults (`tests.chaos`).
"""
