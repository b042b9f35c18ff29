"""Imports of the Databricks SDK without the services that nothing here asks: its `__init__` imports all of them, which
is 1.5 s of work.

`importable` makes its submodules importable without it. Whoever wants something of `__init__`, such as
`WorkspaceClient`, is given the real thing: it runs then.
"""

import importlib
import importlib.util
import sys
import threading
from types import ModuleType
from typing import Final

_SDK: Final = "databricks.sdk"


def importable() -> None:
    """Does nothing where the SDK was imported before."""
    if _SDK in sys.modules:
        return
    spec = importlib.util.find_spec(_SDK)
    if spec is None or spec.loader is None:
        return  # whoever imports it is told
    module = importlib.util.module_from_spec(spec)
    module.__dict__.update(_Later(module).hooks())
    sys.modules[_SDK] = module
    sys.modules["databricks"].__dict__["sdk"] = module


class _Later:
    """Runs the `__init__` of a package when a name is asked for that is not one of its submodules (PEP 562)."""

    def __init__(self, module: ModuleType) -> None:
        self._module = module
        self._lock = threading.RLock()
        self._is_running = False

    def hooks(self) -> dict[str, object]:
        return {"__getattr__": self._attribute, "__dir__": self._names}

    def _attribute(self, name: str) -> object:
        package = self._module.__name__
        # Of the names with underscores, `import *` asks for this one only, and whoever inspects modules for any.
        if name.startswith("__") and name != "__all__":
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if name.isidentifier() and importlib.util.find_spec(f"{package}.{name}") is not None:
            return importlib.import_module(f"{package}.{name}")
        self._run()
        if name not in self._module.__dict__:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return self._module.__dict__[name]

    def _names(self) -> list[str]:
        self._run()
        return sorted(self._module.__dict__)

    def _run(self) -> None:
        """Once. Who comes while it runs waits; its own questions meanwhile are answered with what there is."""
        with self._lock:
            if self._is_running or "__getattr__" not in self._module.__dict__:
                return
            self._is_running = True
            try:
                spec = self._module.__spec__
                assert spec is not None  # noqa: S101 - it was made from one
                assert spec.loader is not None  # noqa: S101 - as above
                spec.loader.exec_module(self._module)
                for name in self.hooks():
                    del self._module.__dict__[name]
            finally:
                self._is_running = False
