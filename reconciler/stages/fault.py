"""What may be told of a failure this program did not expect: its class and its place. The words of the error are left
out: they may quote what must not be told."""

from pathlib import Path
from traceback import extract_tb


def fault_words(error: BaseException) -> str:
    frames = extract_tb(error.__traceback__)
    where = f" at {Path(frames[-1].filename).name}:{frames[-1].lineno}" if frames else ""
    return f"this program failed ({type(error).__name__}{where}); that is a fault of sharepack"
