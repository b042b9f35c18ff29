"""What the stream a command writes to can show."""

import os
import sys

from reconciler.render.lines import Style


def style() -> Style:
    """Colour only on a terminal that wants it (https://no-color.org), Unicode only where it can be encoded."""
    wants_colour = sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return Style(colour=wants_colour, unicode=_takes_unicode())


def _takes_unicode() -> bool:
    try:
        "→…·".encode(sys.stdout.encoding or "ascii")
    except (LookupError, UnicodeEncodeError):
        return False
    return True
