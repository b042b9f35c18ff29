"""The page where an API key is given, once, for the pages."""

from reconciler.http.pages.frame import Visitor, framed, labelled, message, posting
from reconciler.render.html.markup import NOTHING, tag


def sign_in_page(visitor: Visitor, after: str, trouble: str = "") -> str:
    """`after`: the address on this server to go on to."""
    field = tag(
        "input",
        type="password",
        name="key",
        id="key",
        required=True,
        autocomplete="current-password",
        spellcheck="false",
        aria_describedby="key-hint",
    )
    hint = "Made by who runs this server, with `sharepack keys`. It is kept for half a day at most, and never shown."
    form = posting(
        "/sign-in",
        tag("input", type="hidden", name="after", value=after),
        labelled("key", "API key", field, hint),
        tag("button", "Sign in", class_="main"),
        visitor=visitor,
        class_="panel narrow",
    )
    return framed("Sign in", message(trouble) if trouble else NOTHING, form, visitor=visitor)
