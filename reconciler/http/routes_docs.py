"""What the API offers, for programs (OpenAPI) and for people: a page of our own, written out here, which loads nothing
from anywhere and runs no script."""

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from fastapi import APIRouter, Request
from starlette.responses import HTMLResponse, JSONResponse

from reconciler.http.pages.frame import POLICY, Visitor, framed
from reconciler.render.html.markup import NOTHING, Markup, joined, tag

router: Final = APIRouter()

_METHODS: Final = ("get", "post", "put", "patch", "delete")
_CURL: Final = {
    "/workflow/sharepack/upload": (
        'curl -X POST "{base}/workflow/sharepack/upload" \\\n'
        '  -H "X-API-Key: $SHAREPACK_KEY" \\\n'
        '  -H "X-Workspace-URL: https://adb-xxx.azuredatabricks.net" \\\n'
        '  -F "file=@sharepack.yaml"'
    )
}


@router.get("/openapi.json", include_in_schema=False)
async def openapi(request: Request) -> JSONResponse:
    return JSONResponse(request.app.openapi())


@router.get("/docs", include_in_schema=False)
async def docs(request: Request) -> HTMLResponse:
    return HTMLResponse(docs_page(request.app.openapi()), headers={"Content-Security-Policy": POLICY})


def docs_page(document: Mapping[str, Any]) -> str:
    schemas = document.get("components", {}).get("schemas", {})
    return framed(
        "API",
        tag("p", document["info"].get("description", "")),
        tag("p", "For programs: ", tag("a", "openapi.json", href="/openapi.json"), "."),
        _keys(document),
        *(
            _operation(path, method, operation)
            for path, item in document["paths"].items()
            for method, operation in item.items()
            if method in _METHODS
        ),
        tag("h2", "Bodies", id="bodies"),
        *(_schema(name, schemas[name]) for name in sorted(schemas)),
        visitor=Visitor(),
        here="/docs",
    )


def _keys(document: Mapping[str, Any]) -> Markup:
    names = [
        f"{scheme['name']}: KEY" if scheme["type"] == "apiKey" else "Authorization: Bearer KEY-OR-TOKEN"
        for scheme in document.get("components", {}).get("securitySchemes", {}).values()
    ]
    return tag(
        "p", "A key or token goes into one of these headers: ", joined((tag("code", n) for n in names), ", "), "."
    )


def _operation(path: str, method: str, operation: Mapping[str, Any]) -> Markup:
    return tag(
        "section",
        tag("h2", tag("code", f"{method.upper()} {path}"), id=operation.get("operationId", path)),
        tag("p", f"{operation.get('summary', '')}. ", operation.get("description", "")),
        _example(path, method),
        _parameters(operation),
        _body(operation.get("requestBody")),
        tag("h3", "Answers"),
        tag("dl", *_answers(operation["responses"])),
        class_="panel",
    )


def _example(path: str, method: str) -> Markup:
    lines = _CURL.get(path, 'curl -H "X-API-Key: $SHAREPACK_KEY" "{base}' + path + '"')
    return tag("pre", tag("code", lines.replace("{base}", "http://localhost:8000"))) if method in _METHODS else NOTHING


def _parameters(operation: Mapping[str, Any]) -> Markup:
    listed = operation.get("parameters", [])
    if not listed:
        return NOTHING
    head = tag("tr", *(tag("th", each, scope="col") for each in ("Parameter", "In", "What it is")))
    rows = (
        tag("tr", tag("td", tag("code", each["name"])), tag("td", each["in"]), tag("td", _parameter(each)))
        for each in listed
    )
    return tag("table", tag("thead", head), tag("tbody", *rows))


def _parameter(parameter: Mapping[str, Any]) -> str:
    needed = "required; " if parameter.get("required") else ""
    said = parameter.get("description", "")
    return f"{needed}{_type(parameter.get('schema', {}))}{'. ' if said else ''}{said}"


def _body(body: Mapping[str, Any] | None) -> Markup:
    if body is None:
        return NOTHING
    kinds = (tag("li", tag("code", kind), f" {_type(each['schema'])}") for kind, each in body["content"].items())
    return joined((tag("h3", "Body"), tag("ul", *kinds)))


def _answers(responses: Mapping[str, Any]) -> Iterator[Markup]:
    for status, response in sorted(responses.items()):
        yield tag("dt", tag("code", status))
        kinds = ", ".join(
            f"{kind}: {_type(each.get('schema', {}))}" for kind, each in response.get("content", {}).items()
        )
        yield tag("dd", response["description"], f" {kinds}" if kinds else "")


def _schema(name: str, schema: Mapping[str, Any]) -> Markup:
    fields = (
        joined((tag("dt", tag("code", field)), tag("dd", _type(each))))
        for field, each in schema.get("properties", {}).items()
    )
    said = schema.get("description", "")
    return tag("section", tag("h3", name, id=name), tag("p", said) if said else NOTHING, tag("dl", *fields))


def _type(schema: Mapping[str, Any]) -> str:
    """In a few words: `text`, `list of Finding`, `uuid or null`."""
    if "$ref" in schema:
        return str(schema["$ref"]).rpartition("/")[2]
    if "anyOf" in schema:
        return " or ".join(dict.fromkeys(map(_type, schema["anyOf"])))
    if "enum" in schema:
        return " or ".join(map(str, schema["enum"]))
    if schema.get("type") == "array":
        return f"list of {_type(schema.get('items', {}))}"
    if schema.get("type") == "string":
        return str(schema.get("format", "text"))
    return str(schema.get("type", "")) or json.dumps(schema.get("const", ""))
