"""How many examples a test of a property draws: few at the desk, more under CI, and as many as `EXAMPLES` says where
somebody looks for what is rare (`EXAMPLES=5000 make test PYTEST_ARGS=tests/core`).
"""

import os


def examples(few: int, more: int) -> int:
    """`few` at the desk, `more` under CI, where each of them is drawn again the same."""
    wished = os.environ.get("EXAMPLES", "")
    if wished:
        return int(wished)
    return more if os.environ.get("CI") else few
