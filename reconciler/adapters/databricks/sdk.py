"""Imports of the Databricks SDK without what nothing here asks: its `__init__`, which imports all services (1.5 s of
work), Google's sign-in and messages (0.15 s), guessing how text is encoded, and the making of dataclasses that are
never used (0.3 s).

`importable` makes its submodules importable so. What was left out is done once somebody asks for something of it, such
as `WorkspaceClient`: they are given the real thing.
"""

import importlib
import importlib.util
import sys
import threading
from collections import UserDict
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import ModuleType
from typing import Final

from reconciler.adapters.databricks.unmade import made_when_used

_SDK: Final = "databricks.sdk"
#: Whose modules define 400 dataclasses, of which a command uses a dozen.
_SERVICES: Final = "databricks.sdk.service."
#: Run when a name is asked for. Those of Google bring `cryptography` along.
_LATER: Final = frozenset(
    {
        _SDK,
        "charset_normalizer",
        "google.auth",
        "google.auth.impersonated_credentials",
        "google.oauth2.service_account",
    }
)
#: Modules of which the SDK asks for one class at once, but makes nothing of it.
_FOR_ONE_CLASS: Final = {
    "google.auth.transport.requests": "Request",
    "google.protobuf.duration_pb2": "Duration",
    "google.protobuf.timestamp_pb2": "Timestamp",
}


def importable() -> None:
    """Does nothing where the SDK was imported before."""
    if _SDK not in sys.modules and not any(isinstance(each, _Finder) for each in sys.meta_path):
        sys.meta_path.insert(0, _Finder())


class _Finder(MetaPathFinder):
    """Finds what the usual one finds, and loads it otherwise."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        kind = _loader(fullname)
        if kind is None:
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        # Of any other kind, such as from an archive: loaded as ever.
        if spec is not None and type(spec.loader) is SourceFileLoader:
            spec.loader = kind(spec.loader.name, spec.loader.path)
        return spec


class _LaterLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        module.__dict__.update(_Later(module, super().exec_module).hooks())


class _OneClassLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        later = _Later(module, super().exec_module)
        name = _FOR_ONE_CLASS[module.__name__]
        module.__dict__.update(
            later.hooks(), **{name: _StandIn(name, (), {"__module__": module.__name__, "_of": later})}
        )


class _ServiceLoader(SourceFileLoader):
    def exec_module(self, module: ModuleType) -> None:
        code = self.get_code(module.__name__)
        assert code is not None  # noqa: S101 - there is a source
        exec(code, module.__dict__, _Names(module.__dict__))  # noqa: S102 - as the usual loader does


def _loader(name: str) -> type[SourceFileLoader] | None:
    if name in _LATER:
        return _LaterLoader
    if name in _FOR_ONE_CLASS:
        return _OneClassLoader
    return _ServiceLoader if name.startswith(_SERVICES) else None


class _StandIn(type):
    """For a class of a module that was not run yet: makes instances of the real one, and knows them."""

    _of: "_Later"

    def __call__(cls, *arguments: object, **named: object) -> object:
        return cls._real(*arguments, **named)

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, cls._real)

    def __getattr__(cls, name: str) -> object:
        return getattr(cls._real, name)

    @property
    def _real(cls) -> type:
        found = cls._of.asked(cls.__name__)
        assert isinstance(found, type)  # noqa: S101 - as `_FOR_ONE_CLASS` says
        return found


class _Names(UserDict[str, object]):
    """Where a module's code binds its names: in the module, and for `dataclass` one that does it later."""

    def __init__(self, names: dict[str, object]) -> None:
        self.data = names

    def __setitem__(self, name: str, value: object) -> None:
        self.data[name] = made_when_used if value is dataclass else value


class _Later:
    """Runs a module when a name is asked for that is not one of its submodules (PEP 562)."""

    def __init__(self, module: ModuleType, run: Callable[[ModuleType], None]) -> None:
        self._module = module
        self._run_it = run
        self._lock = threading.RLock()
        self._is_running = False

    def hooks(self) -> dict[str, object]:
        return {"__getattr__": self._attribute, "__dir__": self._names}

    def _attribute(self, name: str) -> object:
        package = self._module.__name__
        # Of this one `requests` asks whether it is new enough.
        if name == "__version__" and package == "charset_normalizer":
            return importlib.import_module(f"{package}.version").__version__
        # Of the names with underscores, `import *` asks for this one only, and whoever inspects modules for any.
        if name.startswith("__") and name != "__all__":
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        if self._has_submodule(name):
            return importlib.import_module(f"{package}.{name}")
        return self.asked(name)

    def asked(self, name: str) -> object:
        """Of the module that was run."""
        self._run()
        if name not in self._module.__dict__:
            raise AttributeError(f"module {self._module.__name__!r} has no attribute {name!r}")
        return self._module.__dict__[name]

    def _has_submodule(self, name: str) -> bool:
        module = self._module
        return (
            "__path__" in module.__dict__
            and name.isidentifier()
            and importlib.util.find_spec(f"{module.__name__}.{name}") is not None
        )

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
                self._run_it(self._module)
                for name in self.hooks():
                    del self._module.__dict__[name]
            finally:
                self._is_running = False
