"""The API calls of a plan as lines: what a worker would send, were the world as it was when the plan was made."""

import json
from collections.abc import Iterator
from itertools import groupby
from operator import itemgetter
from typing import Final

from reconciler.core.lowering import lower
from reconciler.core.plan import Plan, Step
from reconciler.render.lines import EMPTY, PLAIN, Line, Span, Style, Tone, line, render
from reconciler.render.wire import Request, request_of

_METHOD_TONES: Final = {"POST": Tone.ADD, "PATCH": Tone.CHANGE, "DELETE": Tone.REMOVE}


def requests_of(step: Step) -> Iterator[Request]:
    """None for a held step."""
    if not step.is_held:
        yield from (request_of(operation.call) for operation in lower(step.key, step.verdict))


def calls_text(plan: Plan, style: Style = PLAIN) -> str:
    return render(tuple(_lines(plan)), style)


def _lines(plan: Plan) -> Iterator[Line]:
    count = 0
    for pack in plan.packs:
        calls = [(step.key.workspace, request) for step in pack.steps for request in requests_of(step)]
        count += len(calls)
        for workspace, group in groupby(calls, key=itemgetter(0)):
            yield line(Span(f"{pack.path or pack.pack}   {workspace}", Tone.HEADING))
            for _, request in group:
                yield from _request_lines(request)
            yield EMPTY
    yield line(Span(f"{count:,} API call{'s'[: count != 1]}.", Tone.HEADING))


def _request_lines(request: Request) -> Iterator[Line]:
    yield line(Span(f"  {request.method:<6} ", _METHOD_TONES[request.method]), request.path)
    if request.body is not None:
        yield line(Span(f"         {json.dumps(request.body, ensure_ascii=False)}", Tone.DIM))
