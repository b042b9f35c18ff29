"""Seeds from YAML, the state kept on disk, and the command that starts a sandbox."""

import json
import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from reconciler.sandbox import ControlClient, Knobs, Sandbox, Seed, SeedError
from reconciler.sandbox.state_file import StateFileError
from tests.sandbox.plain import OWNER, SALES, Plain

ADMIN_ONLY = "principals: {a@b.c: {token: t, admin: true}}\n"


@pytest.fixture(autouse=True)
def control() -> None:
    """These tests have sandboxes of their own."""


def test_the_example_has_what_the_example_packs_share() -> None:
    names = {each.full_name for each in Seed.example().tables}
    assert names >= {
        f"{SALES}.transactions",
        f"{SALES}.customers",
        f"{SALES}.refunds",
        "catalog.schema.revenue_table",
        "catalog.schema.expense_table",
        "catalog.audit_schema.activity_log",
    }
    assert {each.table_type for each in Seed.example().tables} >= {"MANAGED", "VIEW", "MATERIALIZED_VIEW"}


def test_the_short_forms() -> None:
    seed = Seed.from_yaml(
        ADMIN_ONLY
        + """
catalogs:
  Main:
    .owner: boss
    Raw: [One, two]
    cooked:
      .numbered: {t_: 3}
      priced: id bigint, price decimal(18,2), tags map<string,int>
      parted: {columns: "id bigint, day date", partitions: [day], owner: me}
"""
    )
    tables = {each.full_name: each for each in seed.tables}
    assert set(tables) == {
        "main.raw.one",
        "main.raw.two",
        *(f"main.cooked.{each}" for each in ("t_1", "t_2", "t_3")),
    } | {
        "main.cooked.priced",
        "main.cooked.parted",
    }
    assert [each.type_text for each in tables["main.cooked.priced"].columns] == [
        "bigint",
        "decimal(18,2)",
        "map<string,int>",
    ]
    assert [each.partition_index for each in tables["main.cooked.parted"].columns] == [None, 0]
    assert (tables["main.cooked.parted"].owner, tables["main.raw.one"].owner) == ("me", "boss")


def test_the_same_seed_gives_the_same_ids() -> None:
    assert Seed.example() == Seed.example()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("{", "not valid YAML"),
        ("[]", "the seed must be a mapping"),
        ("{}", "one of them must have `admin: true`"),
        (ADMIN_ONLY + "catalog: {}", "unknown key 'catalog'"),
        (ADMIN_ONLY + "catalogs: {c: {s: {t: {kind: VIEW}}}}", "catalogs.c.s.t: unknown key 'kind'"),
        (ADMIN_ONLY + "catalogs: {c: {s: {t: {type: PICTURE}}}}", "catalogs.c.s.t.type: PICTURE is none of"),
        (ADMIN_ONLY + "catalogs: {c: {s: {t: id}}}", "catalogs.c.s.t.columns: 'id' must be a name and a type"),
        (ADMIN_ONLY + "catalogs: {c: {s: {t: {partitions: [day]}}}}", "there is no column 'day'"),
        (ADMIN_ONLY + "catalogs: {c: {.colour: red}}", "catalogs.c: unknown key '.colour'"),
        (ADMIN_ONLY + "metastore: {sharing: maybe}", "metastore.sharing: MAYBE is none of"),
        (ADMIN_ONLY + "metastore: {token_lifetime: 0}", "metastore.token_lifetime: 0"),
        (ADMIN_ONLY + "workspace: {id: one}", "workspace.id must be a whole number"),
    ],
)
def test_a_wrong_seed_says_where(text: str, message: str) -> None:
    with pytest.raises(SeedError) as wrong:
        Seed.from_yaml(text)
    assert message in str(wrong.value)


def test_tokens_are_not_shown() -> None:
    assert "dapi-sandbox" not in repr(Seed.example())


def test_the_state_survives_a_restart(tmp_path: Path) -> None:
    file = tmp_path / "kept state.json"
    with Sandbox(Seed.example(), state_file=file).serving() as url:
        plain = Plain(url)
        made = plain.a_recipient("partner", ip_access_list={"allowed_ip_addresses": ["10.0.0.0/8"]})
        plain.a_share("sales", f"{SALES}.refunds")
        plain.a_grant()
        plain.as_(OWNER).a_share("other")
        plain.patch(f"tables/{SALES}.customers", {"owner": "owner@sandbox.example"})
        plain.patch("permissions/catalog/catalog", {"changes": [{"principal": "data-readers", "add": ["SELECT"]}]})
        ControlClient(url).advance_clock(1000)
        before = ControlClient(url).state()
    with Sandbox(Seed.example(), state_file=file).serving() as url:
        plain = Plain(url)
        after = ControlClient(url).state()
        assert after | {"revision": 0} == before | {"revision": 0}
        activated = plain.get(f"public/data_sharing_activation/{made['activation_url'].partition('?')[2]}")
        assert activated.body["bearerToken"]
        assert plain.get(f"tables/{SALES}.customers").body["owner"] == "owner@sandbox.example"
        assert plain.get("permissions/catalog/catalog").body["privilege_assignments"]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [each.name for each in tmp_path.iterdir()] == [file.name]


def test_an_edited_seed_keeps_only_what_the_api_made(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Sandbox(Seed.example(), state_file=file).serving() as url:
        Plain(url).a_share()
        Plain(url).delete(f"tables/{SALES}.refunds")
    edited = Seed.from_yaml(ADMIN_ONLY + "catalogs: {new: {s: [t]}}")
    with Sandbox(edited, state_file=file).serving() as url:
        plain = Plain(url, "t")
        assert [each["name"] for each in plain.get("shares").body["shares"]] == ["sales"]
        assert plain.get("tables/new.s.t").status == 200


@pytest.mark.parametrize("text", ["{", "[]", '{"format": 2}', '{"format": 1}', '{"format": 1, "clock_offset_ms": 0}'])
def test_a_damaged_state_is_refused_and_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(StateFileError, match=r"state\.json"):
        Sandbox(Seed.example(), Knobs(), file)
    assert file.read_text(encoding="utf-8") == text


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_the_command_starts_and_stops(tmp_path: Path, number: signal.Signals) -> None:
    port_file = tmp_path / "the port"
    seed = tmp_path / "my seed.yaml"
    seed.write_text(ADMIN_ONLY + "catalogs: {c: {s: [t]}}", encoding="utf-8")
    command = [sys.executable, "-m", "reconciler.sandbox", "--seed", str(seed), "--port-file", str(port_file)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        line = process.stdout.readline().strip()
        url = line.removeprefix("sandbox ready at ")
        assert line == f"sandbox ready at http://127.0.0.1:{port_file.read_text(encoding='utf-8')}"
        assert Plain(url, "t").get("tables/c.s.t").status == 200
        process.send_signal(number)
        rest, errors = process.communicate(timeout=10)
    assert (process.returncode, rest, errors) == (0, "", "")


def test_the_command_says_what_is_wrong(tmp_path: Path) -> None:
    seed = tmp_path / "seed.yaml"
    seed.write_text("[]", encoding="utf-8")
    for arguments in (["--seed", str(seed)], ["--seed", str(tmp_path / "none.yaml")], ["--state", str(tmp_path)]):
        done = subprocess.run(
            [sys.executable, "-m", "reconciler.sandbox", *arguments],
            capture_output=True,
            text=True,
            timeout=20,
            check=False,
        )
        assert done.returncode == 1
        assert done.stderr.startswith("sandbox: ")
        assert "Traceback" not in done.stderr


def test_it_imports_neither_the_product_nor_the_sdk() -> None:
    script = (
        "import sys, json, reconciler.sandbox;"
        "print(json.dumps([name for name in sys.modules if name.startswith(('reconciler.', 'databricks'))]))"
    )
    done = subprocess.run(
        [sys.executable, "-c", script], capture_output=True, text=True, check=True, env=dict(os.environ)
    )
    loaded = json.loads(done.stdout)
    assert [each for each in loaded if not each.startswith("reconciler.sandbox")] == []
