"""What `make test` runs once before the tests, so that no test's time goes into an installation."""

import sys

from tests.browser.chromium import NoChromiumError, ensure_installed

try:
    found = ensure_installed()
except NoChromiumError as error:
    print(f"No Chromium: {error}\nThe tests that look at pages in a browser will be skipped.", file=sys.stderr)
else:
    print(f"Chromium: {found.program}")
