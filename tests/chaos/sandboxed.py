"""A sandbox in a process of its own whose secrets can be recognised: `python -m tests.chaos.sandboxed`, with the
options of `python -m reconciler.sandbox`."""

import secrets
import sys

from tests.journeys.canary_process import recognisable

if __name__ == "__main__":
    secrets.token_urlsafe = recognisable
    from reconciler.sandbox.__main__ import main

    sys.exit(main())
