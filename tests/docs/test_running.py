"""The page about running, and its files, against the program: what is named there exists here."""

import asyncio
import json
import re
import shlex
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import click
import pytest
import yaml

from reconciler.cli import cli
from reconciler.core.recorded import PackStatus
from reconciler.core.schedule import JITTER
from reconciler.daemon.health import serve_health
from reconciler.daemon.metrics import Metrics
from reconciler.ports.ledger import Figures
from reconciler.settings import Settings
from tests.docs.running import (
    CONTAINERFILE,
    FOLDER,
    PAGE,
    ROOT,
    TEXT,
    UNITS,
    commands,
    container_app,
    instruction,
    port,
    rules,
    unit_lines,
    variables,
)

#: Names of others: of Azure, Git, Python, ssh, PostgreSQL, and what a token is passed in.
FOREIGN: Final = re.compile(
    r"WEBSITES?_\w+|GIT_\w+|PYTHON\w+|PATH|PACKS_TOKEN|ARM_USE_MSI|UV_\w+|known_hosts|pg_stat_activity"
)


def test_every_link_leads_somewhere() -> None:
    links = re.findall(r"\]\(([^)#]+)\)", TEXT)
    assert len(links) > 5
    assert [link for link in links if not (PAGE.parent / link).exists()] == []


def test_every_file_beside_it_is_mentioned() -> None:
    assert [file.name for file in FOLDER.iterdir() if f"running/{file.name}" not in TEXT] == []


# Commands


@pytest.mark.parametrize("line", sorted(set(map(str.strip, commands())) - {""}))
def test_every_command_is_one_the_program_takes(line: str) -> None:
    arguments = shlex.split(line)
    with cli.make_context("sharepack", list(arguments)) as context:
        name, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
        assert name is not None
        assert command is not None
        with command.make_context(name, rest, parent=context) as parsed:
            assert isinstance(parsed, click.Context)


def test_a_command_that_is_none_would_be_noticed() -> None:
    with cli.make_context("sharepack", ["daemon", "--no-such-option"]) as context:
        _, command, rest = cli.resolve_command(context, [*context._protected_args, *context.args])
        assert command is not None
        with pytest.raises(click.UsageError):
            command.make_context("daemon", rest, parent=context)


# Settings


def test_every_setting_that_is_named_exists() -> None:
    named = {name for name in variables() if not FOREIGN.fullmatch(re.sub(r"_\d+$", "", name))}
    assert len(named) > 15
    assert {name for name in named if name.lower() not in Settings.model_fields} == set()


def test_what_it_takes_to_run_unattended_is_in_the_page() -> None:
    follows = {"packs_revision", "fetch_interval_seconds", "drift_interval_seconds", "drift_interval_longest_seconds"}
    follows |= {"drift_full_every"}
    tells = {"health_host", "health_port", "log_format", "log_level"}
    assert follows | tells <= set(variables())


def test_the_settings_file_is_one_for_a_shell_and_for_the_program(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    script = 'set -a; . "$1"; exec "$2" -c "import json, os; print(json.dumps(dict(os.environ)))"'
    shell = ["sh", "-c", script, "sh", str(FOLDER / "sharepack.env"), sys.executable]
    told = json.loads(subprocess.run(shell, check=True, capture_output=True, text=True, env={}).stdout)
    for name in Settings.model_fields:
        monkeypatch.delenv(name, raising=False)
        monkeypatch.delenv(name.upper(), raising=False)
    for name, value in told.items():
        if name.lower() in Settings.model_fields:
            monkeypatch.setenv(name, value)
    settings = Settings.load()
    assert settings.packs_revision == "origin/main"
    assert settings.domain_db_connection_string is not None
    assert settings.domain_db_connection_string.get_secret_value().endswith("/ca-certificates.crt")
    # systemd reads the same lines, and does what a shell does with these quotes.
    lines = (FOLDER / "sharepack.env").read_text(encoding="utf-8").splitlines()
    assert {
        line.partition("=")[0]: line.partition("=")[2].strip("'") for line in lines if re.match(r"[A-Z]", line)
    } == {name: value for name, value in told.items() if name.lower() in Settings.model_fields}


def test_the_defaults_in_the_page_are_the_defaults() -> None:
    for name, default in (
        ("fetch_interval_seconds", "30"),
        ("drift_interval_seconds`, `drift_interval_longest_seconds", "900, 1500"),
        ("drift_full_every", "8"),
        ("health_host`, `health_port", "127.0.0.1, 9464"),
        ("log_format`, `log_level", "`text`, `INFO`"),
        ("worker_lease_seconds", "60"),
    ):
        assert f"| `{name}` | {default} |" in TEXT
        fields = [Settings.model_fields[each].default for each in name.split("`, `")]
        shown = [f"{each:g}" if isinstance(each, float) else str(each) for each in fields]
        assert ", ".join(shown) == default.replace("`", "")


# Metrics and alarms


def metrics() -> set[str]:
    figures = Figures(
        packs=dict.fromkeys(PackStatus, 0), unfinished=0, oldest_unfinished=None, needing_attention=0,
        unknown_outcomes=0, drifted=0, oldest_drift=None, suspended=0, contested=0, paused=0, last_full_pass=None,
    )  # fmt: skip
    return set(re.findall(r"^(sharepack_\w+)", Metrics().render(figures, {}).decode(), re.MULTILINE))


def test_every_metric_that_is_named_is_told() -> None:
    named = {*re.findall(r"sharepack_[a-z_]+", TEXT), *re.findall(r"sharepack_[a-z_]+", str(rules()))}
    assert len(named) > 8
    assert named - metrics() == set()


def test_every_alarm_has_a_chapter_with_three_commands() -> None:
    assert [rule["alert"] for rule in rules()] == re.findall(r"^### (\w+)$", TEXT, re.MULTILINE)
    for rule in rules():
        chapter = TEXT.split(f"### {rule['alert']}\n")[1].split("\n#")[0]
        (block,) = re.findall(r"```bash\n(.*?)```", chapter, re.DOTALL)
        assert len(block.splitlines()) == 3
        assert re.findall(r"sharepack_[a-z_]+", rule["expr"])[0] in chapter


def test_the_alarms_leave_room_for_what_is_normal() -> None:
    silent, _, drift = rules()
    longest = Settings.model_fields["drift_interval_longest_seconds"].default * (1 + JITTER)
    assert longest < float(silent["expr"].split(">")[1]) <= 1800
    assert float(drift["expr"].split(">")[1]) == 2 * Settings.model_fields["drift_interval_seconds"].default


def test_what_is_scraped_is_where_daemons_tell() -> None:
    configuration = yaml.safe_load((FOLDER / "prometheus.yaml").read_text(encoding="utf-8"))
    (job,) = configuration["scrape_configs"]
    assert {target.rpartition(":")[2] for target in job["static_configs"][0]["targets"]} == {port()}
    assert all((FOLDER / file).exists() for file in configuration["rule_files"])
    assert "metrics_path" not in job


# systemd


@pytest.mark.parametrize("name", UNITS)
def test_a_unit_gives_calls_time_to_end_and_starts_again(name: str) -> None:
    service = unit_lines(name)["Service"]
    assert int(service["TimeoutStopSec"]) >= 30
    assert service["Restart"] == "on-failure"
    assert (service["NoNewPrivileges"], service["ProtectSystem"], service["StateDirectory"]) == (
        "yes", "strict", "sharepack",
    )  # fmt: skip
    # With everything else read-only, whatever is written has to lie here.
    environment = (FOLDER / "sharepack.env").read_text(encoding="utf-8")
    assert (
        re.findall(r"^(?:PACKS|STATE)_DIR=(/var/lib/sharepack/)", environment, re.MULTILINE)
        == ["/var/lib/sharepack/"] * 2
    )
    assert f"{service['EnvironmentFile']}, owner root" in environment


@pytest.mark.parametrize("name", UNITS)
def test_systemd_takes_the_unit(name: str, tmp_path: Path) -> None:
    analyze = shutil.which("systemd-analyze")
    if analyze is None:
        pytest.skip("systemd-analyze is not installed")
    program = shutil.which("true")
    assert program is not None
    unit = tmp_path / name
    text = (FOLDER / name).read_text(encoding="utf-8")
    unit.write_text(text.replace("/opt/sharepack/bin/sharepack", program), encoding="utf-8")
    instance = tmp_path / name.replace("@.", "@1.")
    if instance != unit:
        unit.rename(instance)
    done = subprocess.run([analyze, "verify", "--man=no", str(instance)], check=False, capture_output=True, text=True)
    assert (done.returncode, [line for line in done.stderr.splitlines() if "sharepack" in line]) == (0, [])


# The image


def test_all_that_is_copied_into_the_image_exists_and_is_enough() -> None:
    copied = [line.split()[1:-1] for line in re.findall(r"^COPY (?!--from).*$", CONTAINERFILE, re.MULTILINE)]
    files = {path for paths in copied for path in paths}
    assert {path for path in files if not (ROOT / path).exists()} == set()
    # What the build of the package asks for.
    assert {"pyproject.toml", "requirements.lock", "README.md", "LICENSE", "reconciler", "schema"} <= files


def test_the_image_runs_as_nobody_special_and_hands_signals_on() -> None:
    user = re.findall(r"^USER (\d+)$", CONTAINERFILE, re.MULTILINE)
    assert int(user[-1]) > 0
    assert f"--uid {user[-1]} " in CONTAINERFILE
    assert instruction("ENTRYPOINT") == ["/usr/bin/tini", "--", "sharepack"]
    assert re.search(r"^    .*apt-get|^RUN apt-get", CONTAINERFILE, re.MULTILINE)
    assert all(package in CONTAINERFILE for package in ("git", "tini", "openssh-client", "ca-certificates"))
    assert f"EXPOSE {port()}" in CONTAINERFILE


@pytest.mark.parametrize(("trouble", "code"), [("", 0), ("stuck", 1)])
async def test_the_health_check_of_the_image_asks_a_daemon(trouble: str, code: int) -> None:
    async def never() -> Any:
        raise AssertionError

    python, *arguments = instruction("HEALTHCHECK")
    assert python == "python"
    async with serve_health("127.0.0.1", 0, is_alive=lambda: trouble, is_ready=never, metrics=never) as address:
        asking = await asyncio.create_subprocess_exec(
            sys.executable, *arguments, env={"HEALTH_PORT": str(address.port)}, stderr=asyncio.subprocess.DEVNULL
        )
        assert await asking.wait() == code


# Container Apps


def test_the_probes_ask_what_a_daemon_answers() -> None:
    (container,) = container_app()["properties"]["template"]["containers"]
    paths = {probe["type"]: probe["httpGet"]["path"] for probe in container["probes"]}
    assert paths == {"Startup": "/livez", "Liveness": "/livez", "Readiness": "/readyz"}
    assert {str(probe["httpGet"]["port"]) for probe in container["probes"]} == {port()}


def test_another_replica_can_take_over_and_calls_have_time_to_end() -> None:
    template = container_app()["properties"]["template"]
    assert template["scale"]["minReplicas"] >= 2
    assert template["terminationGracePeriodSeconds"] >= 30
    assert "ingress" not in container_app()["properties"]["configuration"]


def test_every_secret_and_volume_that_is_used_is_there() -> None:
    properties = container_app()["properties"]
    containers = [*properties["template"]["initContainers"], *properties["template"]["containers"]]
    used = {each["secretRef"] for container in containers for each in container["env"] if "secretRef" in each}
    assert used == {secret["name"] for secret in properties["configuration"]["secrets"]}
    mounts = [mount for container in containers for mount in container["volumeMounts"]]
    assert {mount["volumeName"] for mount in mounts} == {each["name"] for each in properties["template"]["volumes"]}
    # Where the image looks for packs.
    (packs,) = re.findall(r"PACKS_DIR=(\S+)", CONTAINERFILE)
    assert {mount["mountPath"] for mount in mounts} == {str(Path(packs).parent)}


def test_the_credential_helper_gives_the_token_to_git(tmp_path: Path) -> None:
    (init,) = container_app()["properties"]["template"]["initContainers"]
    given = {each["name"]: each.get("value", "the-token") for each in init["env"]}
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(tmp_path), "GIT_TERMINAL_PROMPT": "0"} | given
    asked = subprocess.run(
        ["git", "credential", "fill"], check=True, capture_output=True, text=True, cwd=tmp_path, env=environment,
        input="protocol=https\nhost=git.example\n\n",
    )  # fmt: skip
    assert {"username=token", "password=the-token"} <= set(asked.stdout.split())
