from tests.browser.fixtures import browser, page

__all__ = ["browser", "page"]
