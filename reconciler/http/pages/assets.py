"""The style, the script and the icon of the pages, as bytes under addresses that change with them: a browser may keep
them for good."""

from dataclasses import dataclass
from hashlib import sha256
from importlib.resources import files
from typing import Final

from reconciler.render.html.style import STYLE as PLAN_STYLE


@dataclass(frozen=True, slots=True)
class Asset:
    path: str
    media_type: str
    content: bytes

    @property
    def version(self) -> str:
        return sha256(self.content).hexdigest()[:12]

    @property
    def address(self) -> str:
        return f"{self.path}?v={self.version}"


def _read(name: str) -> bytes:
    return files(__package__).joinpath(name).read_bytes()


STYLE: Final = Asset("/style.css", "text/css; charset=utf-8", PLAN_STYLE.html.encode() + _read("pages.css"))
SCRIPT: Final = Asset("/script.js", "text/javascript; charset=utf-8", _read("script.js"))
ICON: Final = Asset("/icon.svg", "image/svg+xml", _read("icon.svg"))
