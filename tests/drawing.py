"""How many examples a test of a property draws: so few that all tests together take minutes; where somebody looks for
what is rare, as many as is worth its while (`EXAMPLES=more make test`) or as `EXAMPLES` says (`EXAMPLES=5000`).
"""

import os


def examples(few: int, more: int) -> int:
    """Under CI each of them is drawn again the same; at the desk, every run draws others."""
    wished = os.environ.get("EXAMPLES", "")
    if wished == "more":
        return more
    return int(wished or few)
