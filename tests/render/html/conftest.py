from tests.browser.fixtures import browser, one_tab
from tests.browser.fixtures import page_in_one_tab as page

__all__ = ["browser", "one_tab", "page"]
