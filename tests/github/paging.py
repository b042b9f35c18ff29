"""Pages of lists, with the Link header: https://docs.github.com/en/rest/using-the-rest-api/using-pagination-in-the-rest-api"""

from collections.abc import Sequence
from typing import Any
from urllib.parse import urlencode

from tests.github.exchange import Asked, Reply

PARAMETERS = frozenset({"per_page", "page"})


def page(asked: Asked, url: str, entries: Sequence[Any]) -> Reply:
    size = min(max(int(asked.query.get("per_page", "30")), 1), 100)
    number = max(int(asked.query.get("page", "1")), 1)
    last = max(-(-len(entries) // size), 1)
    wanted = {"prev": number - 1, "next": number + 1, "last": last, "first": 1}
    if number >= last:
        del wanted["next"], wanted["last"]
    if number <= 1:
        del wanted["prev"], wanted["first"]
    links = [f'<{url}?{urlencode({**asked.query, "page": to})}>; rel="{name}"' for name, to in wanted.items()]
    shown = list(entries[(number - 1) * size : number * size])
    return Reply(200, shown, {"Link": ", ".join(links)} if links else {})
