"""A real Chromium for tests of what people look at: found on PATH, otherwise installed as far as that goes.

`python -m tests.browser` installs it, and `make test` runs that before the tests. Tests in a browser import the fixture
`page` (`tests.browser.fixtures`) in their conftest.
"""
