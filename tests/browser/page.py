"""A page in a browser, as a test drives it: opens, looks, clicks, types, takes pictures, and hears every complaint."""

import asyncio
import base64
import json
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias

from tests.browser.devtools import DevTools, Params, connected

Theme: TypeAlias = Literal["light", "dark"]

_WAIT: Final = 10.0
#: Pixels of a picture that Chromium draws without a graphics card.
_TALLEST: Final = 8_000
_KEYS: Final = {"Tab": 9, "Enter": 13, "Space": 32, "ArrowLeft": 37, "ArrowUp": 38, "ArrowRight": 39, "ArrowDown": 40}
_TYPED: Final = {"Enter": "\r", "Space": " "}


class Page:
    def __init__(self, tools: DevTools, session: str) -> None:
        self._tools = tools
        self._session = session
        self._loaded = asyncio.Event()
        #: Errors and warnings of the console, exceptions, and what the policy of a page blocked.
        self.complaints: list[str] = []
        #: Addresses it asked for, the page itself included.
        self.requests: list[str] = []

    async def open(self, url: str) -> None:
        """Returns when it is loaded. Raises AssertionError when it cannot be."""
        self._loaded.clear()
        answer = await self.call("Page.navigate", url=url)
        assert "errorText" not in answer, f"{url}: {answer['errorText']}"
        async with asyncio.timeout(_WAIT * 3):
            await self._loaded.wait()

    async def evaluate(self, script: str) -> Any:
        """The value of an expression, a promise awaited. Raises AssertionError with what the page threw."""
        answer = await self.call("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        assert "exceptionDetails" not in answer, answer["exceptionDetails"]
        return answer["result"].get("value")

    async def wait_for(self, script: str) -> Any:
        """Until the expression is true."""
        deadline = time.monotonic() + _WAIT
        while time.monotonic() < deadline:
            if value := await self.evaluate(script):
                return value
            await asyncio.sleep(0.02)
        raise AssertionError(f"never true: {script}")

    async def text(self, selector: str = "body") -> str:
        """As a person sees it."""
        return str(await self.evaluate(f"document.querySelector({json.dumps(selector)}).innerText"))

    async def click(self, selector: str) -> None:
        """In the middle of the first that matches, as a mouse does."""
        found = await self.evaluate(
            f"(() => {{ const e = document.querySelector({json.dumps(selector)}); if (!e) return null;"
            "e.scrollIntoView({block: 'center', behavior: 'instant'}); const r = e.getBoundingClientRect();"
            "return [r.x + r.width / 2, r.y + r.height / 2]; })()"
        )
        assert found, f"there is no {selector}"
        at = {"x": found[0], "y": found[1], "button": "left", "clickCount": 1}
        await self.call("Input.dispatchMouseEvent", type="mousePressed", **at)
        await self.call("Input.dispatchMouseEvent", type="mouseReleased", **at)

    async def press(self, key: str) -> None:
        """A key by its DOM name, such as Tab or ArrowRight."""
        told = {"key": " " if key == "Space" else key, "code": key, "windowsVirtualKeyCode": _KEYS[key]}
        typed = {"text": _TYPED[key]} if key in _TYPED else {}
        await self.call("Input.dispatchKeyEvent", type="keyDown", **told, **typed)
        await self.call("Input.dispatchKeyEvent", type="keyUp", **told)

    async def type(self, text: str) -> None:
        """Into what has the focus."""
        await self.call("Input.insertText", text=text)

    async def look(self, *, width: int = 1280, height: int = 900, theme: Theme = "light") -> None:
        """How wide the window is in CSS pixels, and which colours the person prefers."""
        await self.call(
            "Emulation.setDeviceMetricsOverride",
            width=width,
            height=height,
            deviceScaleFactor=1,
            mobile=width < 600,
        )
        await self.media(theme=theme)

    async def media(self, *, theme: Theme = "light", kind: str = "screen") -> None:
        features = [{"name": "prefers-color-scheme", "value": theme}]
        await self.call("Emulation.setEmulatedMedia", media=kind, features=features)

    async def picture(self, path: Path, *, whole: bool = True) -> None:
        """A PNG, of the whole page as far as Chromium draws one, or of what the window shows. Its folder is there."""
        wide, high = await self.evaluate("[innerWidth, document.documentElement.scrollHeight]")
        clip = {"x": 0, "y": 0, "width": wide, "height": min(high, _TALLEST), "scale": 1}
        part = {"captureBeyondViewport": True, "clip": clip} if whole else {}
        answer = await self.call("Page.captureScreenshot", format="png", optimizeForSpeed=True, **part)
        await asyncio.to_thread(path.write_bytes, base64.b64decode(answer["data"]))

    async def call(self, method: str, **params: Any) -> Params:
        """Any command of the protocol."""
        return await self._tools.call(method, self._session, **params)

    async def start(self) -> None:
        self._tools.listen(self._session, self._hear)
        for domain in ("Page", "Runtime", "Log", "Network"):
            await self.call(f"{domain}.enable")

    def _hear(self, method: str, params: Params) -> None:
        match method:
            case "Page.loadEventFired":
                self._loaded.set()
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params["exceptionDetails"]))
            case "Runtime.consoleAPICalled" if params["type"] in {"error", "warning", "assert"}:
                self.complaints.append(" ".join(str(each.get("value", each)) for each in params["args"]))
            case "Log.entryAdded" if params["entry"]["level"] in {"error", "warning"}:
                self.complaints.append(f"{params['entry']['text']} {params['entry'].get('url', '')}".strip())
            case "Network.requestWillBeSent":
                self.requests.append(params["request"]["url"])
            case _:
                pass


@asynccontextmanager
async def opened(address: str) -> AsyncIterator[Page]:
    """A blank page with a profile of its own, in the browser whose DevTools listen there."""
    async with connected(address) as tools:
        context = (await tools.call("Target.createBrowserContext"))["browserContextId"]
        target = (await tools.call("Target.createTarget", url="about:blank", browserContextId=context))["targetId"]
        yield await _taken(tools, target)
        await tools.call("Target.disposeBrowserContext", browserContextId=context)


async def tab(address: str) -> str:
    """A new one, which stays until the browser ends."""
    async with connected(address) as tools:
        return str((await tools.call("Target.createTarget", url="about:blank"))["targetId"])


@asynccontextmanager
async def reopened(address: str, known: str) -> AsyncIterator[Page]:
    """What is in a tab; whoever opens something there starts a new page."""
    async with connected(address) as tools:
        page = await _taken(tools, known)
        # What was said of the page before is told again to whoever begins to listen.
        page.complaints.clear()
        yield page


async def _taken(tools: DevTools, target: str) -> Page:
    session = (await tools.call("Target.attachToTarget", targetId=target, flatten=True))["sessionId"]
    page = Page(tools, session)
    await page.start()
    return page
