"""The SDK is imported without the services that nothing here asks, and stays whole for everybody else. Each in a
process of its own that nothing else has imported into: what is imported is what it is about."""

import importlib.util
import json
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TypeAlias

import pytest

#: What a question imports, as the platform does it.
OURS = "import reconciler.adapters.databricks, reconciler.adapters.databricks.workspace"
UNASKED = ("jobs", "compute", "sql", "ml", "pipelines", "workspace", "serving")


#: Runs programs, each in a process of its own, forked from one that has imported nothing but what its argument says. A
#: line is a program and its arguments; the answer is what it printed, and how it ended.
FORKING = """
import gc, json, os, sys
exec(sys.argv[1])
gc.freeze()
for line in sys.stdin:
    program, *arguments = json.loads(line)
    reading, writing = os.pipe()
    if os.fork() == 0:
        os.dup2(writing, 1)
        sys.argv = ["-c", *arguments]
        exec(program, {"__name__": "__main__"})
        sys.stdout.flush()
        os._exit(0)
    os.close(writing)
    with open(reading) as lines:
        printed = lines.read()
    print(json.dumps([printed.strip(), os.waitstatus_to_exitcode(os.wait()[1])]), flush=True)
"""
Told: TypeAlias = Callable[..., str]


@contextmanager
def forking(imports: str) -> Iterator[Told]:
    command = [sys.executable, "-c", FORKING, imports]
    top = Path(__file__).parents[3]
    with subprocess.Popen(command, cwd=top, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        asked, answers = process.stdin, process.stdout
        assert asked is not None
        assert answers is not None

        def told(program: str, *arguments: str) -> str:
            print(json.dumps([program, *arguments]), file=asked, flush=True)
            printed, code = json.loads(answers.readline())
            assert code == 0, "standard error tells why"
            return str(printed)

        yield told
        asked.close()


@pytest.fixture(scope="module")
def told() -> Iterator[Told]:
    """What a program prints. Those that begin as ours do are spared what they begin with."""
    with forking("pass") as fresh, forking(OURS) as ours:
        yield lambda program, *given: (ours if program.lstrip().startswith(OURS) else fresh)(program, *given)


def test_no_service_is_imported_that_nothing_asks(told: Told) -> None:
    program = f"{OURS}, sys; print(*(name for name in sys.modules if name.startswith('databricks.sdk.service.')))"
    imported = {name.rpartition(".")[2] for name in told(program).split()}
    assert {"sharing", "catalog", "iam"} <= imported
    assert not imported & set(UNASKED)


def test_nothing_of_google_is_run_before_somebody_asks_for_it(told: Told) -> None:
    program = f"""
{OURS}
import sys
print("cryptography" in sys.modules)
from google.auth import impersonated_credentials
from google.oauth2 import service_account
print(service_account.Credentials.from_service_account_info.__name__)
print(impersonated_credentials.Credentials.__module__, "cryptography" in sys.modules)
try:
    service_account.Nothing
except AttributeError as error:
    print(error)
"""
    assert told(program).splitlines() == [
        "False",
        "from_service_account_info",
        "google.auth.impersonated_credentials True",
        "module 'google.oauth2.service_account' has no attribute 'Nothing'",
    ]


def test_one_class_stands_for_its_module_until_it_is_used(told: Told) -> None:
    """The SDK makes timestamps of texts, where a field has one."""
    program = f"""
{OURS}
import sys
from google.auth.transport.requests import Request
from google.protobuf.timestamp_pb2 import Timestamp
from databricks.sdk.service import _internal
print("google.protobuf.descriptor" in sys.modules, "google.auth.transport._mtls_helper" in sys.modules)
made = _internal._timestamp({{"at": "1970-01-01T00:00:07Z"}}, "at")
print(made.seconds, isinstance(made, Timestamp), isinstance(7, Timestamp), Timestamp.DESCRIPTOR.full_name)
from google.protobuf import timestamp_pb2
print(type(made) is timestamp_pb2.Timestamp, _internal._duration({{"for": "3s"}}, "for").seconds)
print(type(Request()).__module__, "google.auth.transport._mtls_helper" in sys.modules)
"""
    assert told(program).splitlines() == [
        "False False",
        "7 True False google.protobuf.Timestamp",
        "True 3",
        "google.auth.transport.requests True",
    ]


def test_how_a_text_is_encoded_is_guessed_when_somebody_asks(told: Told) -> None:
    program = """
import sys, warnings
warnings.simplefilter("error")
import requests
answer = requests.Response()
answer._content = ("Größe und Maß und Übermut " * 20).encode("cp1252")
print("charset_normalizer.api" in sys.modules, answer.apparent_encoding, answer.text[:5])
"""
    plain, ours = (told(before + program) for before in ("", OURS))
    assert ours.split()[1:] == plain.split()[1:]
    assert ours.split()[0] == "False"


def test_every_class_of_its_services_is_the_same_either_way(told: Told) -> None:
    """Those that are made when they are used: their fields, what they take, what they say of themselves."""
    program = """
import dataclasses, enum, inspect
from databricks.sdk.service import catalog, iam, provisioning, sharing
for module in (catalog, iam, provisioning, sharing):
    for name, kind in sorted(inspect.getmembers(module, inspect.isclass)):
        if dataclasses.is_dataclass(kind):
            print(name, inspect.signature(kind), kind.__doc__, kind.__hash__, kind.__match_args__)
            print([(each.name, each.type) for each in dataclasses.fields(kind)], sorted(vars(kind)))
"""
    plain, ours = (told(before + program) for before in ("", OURS))
    assert plain.count("catalog_name") > 20
    assert ours == plain


@pytest.mark.parametrize("before", ["pass", "import databricks.sdk", "from databricks.sdk import WorkspaceClient"])
def test_a_client_of_the_sdk_is_the_real_one(told: Told, before: str, url: str) -> None:
    """Whether the SDK was imported before or is after; and what both are made of is the same."""
    program = f"""
{before}
{OURS}
import sys
from databricks.sdk import AccountClient, WorkspaceClient, service
from databricks.sdk.service import sharing
import databricks.sdk.service.jobs
client = WorkspaceClient(host=sys.argv[1], token="dapi-sandbox-admin")
assert type(client.shares) is sharing.SharesAPI
assert service is databricks.sdk.service
assert WorkspaceClient.__module__ == "databricks.sdk"
print(client.current_user.me().user_name, list(client.recipients.list()), type(client.jobs).__name__)
"""
    assert told(program, url) == "sharepack@sandbox.example [] JobsExt"


def test_the_sdk_exports_the_same_names_either_way(told: Told) -> None:
    program = "import databricks.sdk; print(*dir(databricks.sdk)); from databricks.sdk import *; print(*dir())"
    either = [told(f"{before}; {program}").splitlines() for before in ("import sys", OURS)]
    for lines in zip(*either, strict=True):
        plain, ours = (set(line.split()) for line in lines)
        # A submodule that was imported meanwhile is an attribute, as always.
        new = {name for name in ours - plain - {"reconciler"} if not is_submodule(name)}
        assert (plain - ours - {"sys"}, new) == (set(), set())
        assert "WorkspaceClient" in ours


def is_submodule(name: str) -> bool:
    return importlib.util.find_spec(f"databricks.sdk.{name}") is not None


def test_asking_for_what_is_not_there_fails_as_ever(told: Told) -> None:
    program = f"""
{OURS}
import databricks.sdk
for name in ("__wrapped__", "Nothing", "__all__"):
    try:
        getattr(databricks.sdk, name)
    except AttributeError as error:
        print(error, "databricks.sdk.service.jobs" in sys.modules)
"""
    lines = told("import sys\n" + program).splitlines()
    assert lines == [
        f"module 'databricks.sdk' has no attribute '{name}' {loaded}"
        for name, loaded in [("__wrapped__", False), ("Nothing", True), ("__all__", True)]
    ]


def test_threads_that_ask_at_once_are_all_given_it(told: Told) -> None:
    program = f"""
{OURS}
import concurrent.futures, importlib, databricks.sdk
def ask(number):
    if number % 2:
        return importlib.import_module("databricks.sdk.service.jobs").JobsAPI
    return databricks.sdk.WorkspaceClient
with concurrent.futures.ThreadPoolExecutor(8) as pool:
    print(len(set(pool.map(ask, range(16)))))
"""
    assert told(program) == "2"


def test_an_init_that_fails_tells_why_and_is_tried_again(told: Told) -> None:
    program = f"""
{OURS}
import sys, databricks.sdk
sys.modules["databricks.sdk.service.jobs"] = None
try:
    databricks.sdk.WorkspaceClient
except ImportError as error:
    print(type(error).__name__)
del sys.modules["databricks.sdk.service.jobs"]
print(databricks.sdk.WorkspaceClient.__name__)
"""
    assert told(program).split() == ["ModuleNotFoundError", "WorkspaceClient"]


def test_the_client_is_what_a_client_of_the_sdk_is(told: Told, url: str) -> None:
    """Class by class, and in what it says of itself to Databricks."""
    program = f"""
{OURS}
import dataclasses, sys
from databricks.sdk.core import Config
from reconciler.adapters.databricks.client import Client
config = Config(host=sys.argv[1], token="dapi-sandbox-admin", product="sharepack-reconciler")
ours = Client.of(config)
from databricks.sdk import WorkspaceClient
theirs = WorkspaceClient(config=config)
for field in dataclasses.fields(ours):
    assert type(getattr(ours, field.name)) is type(getattr(theirs, field.name)), field.name
def settings(client):
    inner = client.api_client._api_client
    values = {{name: value for name, value in vars(inner).items() if isinstance(value, (bool, int, float, str))}}
    return values, inner._clock, inner._header_factory(), {{type(each) for each in inner._session.adapters.values()}}
assert settings(ours) == settings(theirs), (settings(ours), settings(theirs))
print(settings(ours)[0]["_user_agent_base"])
"""
    assert "sharepack-reconciler" in told(program, url)
