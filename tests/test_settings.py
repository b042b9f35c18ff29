"""Where settings come from, what shape they must have, and that no error shows a value."""

import os
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from reconciler.packs.tenants import workspace_url
from reconciler.settings import Settings, SettingsError

DSN = "postgresql://ada:canary-password@db.example.org:5432/deltashare_workflow"
QUEUE = "DefaultEndpointsProtocol=https;AccountName=acme;AccountKey=canary-key==;EndpointSuffix=core.windows.net"


@pytest.fixture(autouse=True)
def _nothing_around(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in list(os.environ):
        if name.lower() in Settings.model_fields:
            monkeypatch.delenv(name)
    monkeypatch.chdir(tmp_path)


def refused(**options: object) -> tuple[str, ...]:
    with pytest.raises(SettingsError) as caught:
        Settings.load(**options)
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None
    return caught.value.problems


def test_the_defaults() -> None:
    settings = Settings.load()
    assert settings.domain_db_connection_string is None
    assert settings.azure_queue_connection_string is None
    assert settings.azure_queue_name == "sharepack-processing"
    assert settings.databricks_host == ""
    assert (settings.state_dir, settings.packs_dir) == (Path(".sharepack"), Path("sharepacks"))
    assert (settings.databricks_in_flight, settings.worker_lease_seconds) == (16, 60.0)
    assert settings.databricks_credentials() == {}


def test_options_go_over_environment_over_file_over_default(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("databricks_in_flight=2\nazure_queue_name=from-file\npacks_dir=from-file\n")
    monkeypatch.setenv("DATABRICKS_IN_FLIGHT", "3")
    monkeypatch.setenv("azure_queue_name", "from-environment")
    settings = Settings.load(databricks_in_flight=4, azure_queue_name=None)
    assert settings.databricks_in_flight == 4
    assert settings.azure_queue_name == "from-environment"
    assert settings.packs_dir == Path("from-file")


def test_the_env_file_of_the_guide_is_read_as_it_stands(tmp_path: Path) -> None:
    (tmp_path / ".env").write_text(
        "# Workflow System Configuration\nenable_workflow=true\n"
        f"domain_db_connection_string={DSN}\n"
        f"azure_queue_connection_string={QUEUE}\n"
        "azure_queue_name=sharepack-processing      # Queue for share pack provisioning\n"
        "sync_queue_name=sync-triggers              # Queue for sync jobs (future)\n"
        "azure_tenant_id=your-tenant-id\ngraph_client_id=your-client-id\ngraph_client_secret=your-client-secret\n"
        "smtp_host=smtp.office365.com\nsmtp_port=587\nazure_subscription_id=your-subscription-id\n"
    )
    settings = Settings.load()
    assert settings.domain_db_connection_string is not None
    assert settings.domain_db_connection_string.get_secret_value() == DSN
    assert settings.azure_queue_connection_string is not None
    assert settings.azure_queue_connection_string.get_secret_value() == QUEUE
    assert settings.azure_queue_name == "sharepack-processing"
    assert settings.databricks_credentials() == {}


def test_an_empty_value_is_no_value(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("queue\nazure_queue_name\nPACKS_DIR=from-file\nstate_dir=\n")
    monkeypatch.setenv("domain_db_connection_string", "")
    monkeypatch.setenv("databricks_host", "")
    monkeypatch.setenv("packs_dir", "")
    settings = Settings.load()
    assert settings.domain_db_connection_string is None
    assert settings.databricks_host == ""
    assert (settings.packs_dir, settings.state_dir) == (Path("from-file"), Path(".sharepack"))
    assert settings.azure_queue_name == "sharepack-processing"


def test_the_file_may_be_a_pipe_that_a_keeper_of_secrets_writes(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / ".env")
    writing = threading.Thread(target=(tmp_path / ".env").write_text, args=("databricks_token=dapi-piped\n",))
    writing.start()
    handed = Settings.load().databricks_credentials()
    writing.join()
    assert handed["token"].get_secret_value() == "dapi-piped"


def test_settings_do_not_change() -> None:
    settings = Settings.load()
    with pytest.raises(ValueError, match="frozen"):
        settings.databricks_host = "https://elsewhere"


@pytest.mark.parametrize(
    ("pasted", "canonical"),
    [
        ("https://adb-1.2.azuredatabricks.net", "https://adb-1.2.azuredatabricks.net"),
        ("https://adb-1.2.azuredatabricks.net/", "https://adb-1.2.azuredatabricks.net"),
        ("  HTTPS://ADB-1.2.AzureDatabricks.net/?o=1234#notebook/5  ", "https://adb-1.2.azuredatabricks.net"),
        ("https://adb-1.2.azuredatabricks.net/browse/folders?o=12", "https://adb-1.2.azuredatabricks.net"),
        ("https://adb-1.2.azuredatabricks.net:443", "https://adb-1.2.azuredatabricks.net"),
        ("adb-1.2.azuredatabricks.net", "https://adb-1.2.azuredatabricks.net"),
        ("http://127.0.0.1:8080/", "http://127.0.0.1:8080"),
        ("http://localhost:8080", "http://localhost:8080"),
        ("http://sandbox:8080", "http://sandbox:8080"),
    ],
)
def test_a_workspace_has_one_form_however_it_was_pasted(pasted: str, canonical: str) -> None:
    assert Settings.load(databricks_host=pasted).databricks_host == canonical
    if "sandbox" not in canonical:
        assert workspace_url(canonical) == canonical


@pytest.mark.parametrize(
    "value",
    [
        "not a host",
        "ftp://adb-1.2.azuredatabricks.net",
        "https://",
        "https://adb:99999999",
        "https://adb_1.azuredatabricks.net",
        "https://token:canary@adb-1.2.azuredatabricks.net",
        "http://adb-1.2.azuredatabricks.net",
        "https://evil.example\\.azuredatabricks.net",
        "https://[canary",
    ],
)
def test_what_is_no_workspace_is_refused(value: str) -> None:
    (problem,) = refused(databricks_host=value)
    assert problem.startswith("databricks_host: ")
    assert "write the URL of the workspace, such as https://adb-" in problem
    assert "canary" not in problem


@pytest.mark.parametrize(
    "value",
    [
        "mysql://ada:canary@db/x",
        "canary",
        "host=db user=ada password=canary dbname=x",
        "postgresql://ada:canary@db",
        "postgresql://ada:canary@db:port/x",
        "postgresql+asyncpg://ada:canary@db/x",
    ],
)
def test_a_connection_string_of_another_shape_is_refused_without_showing_it(value: str) -> None:
    (problem,) = refused(domain_db_connection_string=value)
    assert problem.startswith("domain_db_connection_string: is not a PostgreSQL URL")
    assert "write postgresql://USER:PASSWORD@HOST" in problem
    assert "canary" not in problem


@pytest.mark.parametrize("value", [DSN, "postgres://localhost/x", "postgresql:///x?host=/run/my socket"])
def test_a_postgres_url_is_accepted(value: str) -> None:
    settings = Settings.load(domain_db_connection_string=value)
    assert settings.domain_db_connection_string is not None
    assert settings.domain_db_connection_string.get_secret_value() == value


@pytest.mark.parametrize(
    "value",
    [
        QUEUE,
        "UseDevelopmentStorage=true",
        "QueueEndpoint=https://acme.queue.core.windows.net/;SharedAccessSignature=sv=2024&sig=canary",
    ],
)
def test_a_storage_connection_string_is_accepted(value: str) -> None:
    assert Settings.load(azure_queue_connection_string=value).azure_queue_connection_string is not None


@pytest.mark.parametrize("value", ["canary-key==", "https://acme.queue.core.windows.net", "AccountName=acme"])
def test_another_string_is_no_storage_connection_string(value: str) -> None:
    (problem,) = refused(azure_queue_connection_string=value)
    assert "is not an Azure Storage connection string" in problem
    assert "canary" not in problem


@pytest.mark.parametrize("name", ["ab", "Upper", "double--hyphen", "-start", "end-", "with_underscore", "x" * 57])
def test_a_queue_name_that_azure_would_refuse_is_refused_here(name: str) -> None:
    (problem,) = refused(azure_queue_name=name)
    assert problem.startswith("azure_queue_name: is not a name a queue can have; write 3 to 56")


def test_all_errors_come_at_once_and_none_shows_a_value() -> None:
    problems = refused(
        domain_db_connection_string="mysql://canary",
        azure_queue_connection_string="canary",
        azure_queue_name="Canary Queue",
        databricks_host="canary host",
        databricks_in_flight="canary",
        worker_lease_seconds=1,
        enable_workflow="canary",
    )
    assert [problem.partition(":")[0] for problem in problems] == [
        "domain_db_connection_string",
        "azure_queue_connection_string",
        "azure_queue_name",
        "enable_workflow",
        "databricks_host",
        "databricks_in_flight",
        "worker_lease_seconds",
    ]
    assert all("; write " in problem for problem in problems)
    assert "canary" not in "".join(problems).lower()


def test_no_secret_is_shown_by_the_settings_themselves() -> None:
    settings = Settings.load(
        domain_db_connection_string=DSN,
        azure_queue_connection_string=QUEUE,
        databricks_token="canary-token",
        arm_tenant_id="canary-tenant",
    )
    shown = f"{settings!r} {settings} {settings.model_dump()} {settings.model_dump_json()}"
    assert "canary" not in shown
    assert "canary" not in repr(settings.databricks_credentials())


def test_a_file_that_is_not_text_is_an_error(tmp_path: Path) -> None:
    (tmp_path / ".env").write_bytes(b"packs_dir=caf\xe9\n")
    assert refused() == (".env is not UTF-8 text; save it as UTF-8",)


def test_credentials_are_handed_over_by_the_names_of_the_sdk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / ".env").write_text("ARM_CLIENT_ID=id\nARM_CLIENT_SECRET=secret\n")
    monkeypatch.setenv("ARM_TENANT_ID", "tenant")
    handed = {name: value.get_secret_value() for name, value in Settings.load().databricks_credentials().items()}
    assert handed == {"azure_client_id": "id", "azure_client_secret": "secret", "azure_tenant_id": "tenant"}


def test_two_ways_to_sign_in_need_a_choice() -> None:
    given = {"databricks_token": "t", "databricks_client_id": "i", "databricks_client_secret": "s"}
    with pytest.raises(SettingsError, match=r"databricks_token and databricks_client_secret: more than one way"):
        Settings.load(**given).databricks_credentials()
    assert "token" in Settings.load(**given, databricks_auth_type="pat").databricks_credentials()


@pytest.mark.parametrize("secret", ["databricks_client_secret", "arm_client_secret"])
def test_a_secret_without_its_identity_is_an_error(secret: str) -> None:
    with pytest.raises(SettingsError, match=r"client_id: is missing"):
        Settings.load(**{secret: "s"}).databricks_credentials()


def test_settings_load_no_adapter() -> None:
    heavy = ["databricks.sdk", "azure", "asyncpg", "openpyxl", "alembic", "fastapi", "dotenv", "pydantic_settings"]
    code = "import sys; from reconciler.settings import Settings; Settings.load()"
    code += f"; print([name for name in {heavy!r} if name in sys.modules])"
    done = subprocess.run(
        [sys.executable, "-c", code], check=True, capture_output=True, text=True, cwd=Path(__file__).parents[1]
    )
    assert done.stdout.strip() == "[]"


def test_the_token_of_github_has_two_names(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GH_TOKEN", "canary-token-2")
    settings = Settings.load()
    assert settings.github_token is not None
    assert settings.github_token.get_secret_value() == "canary-token-2"
    monkeypatch.setenv("GITHUB_TOKEN", "canary-token-1")
    settings = Settings.load()
    assert settings.github_token is not None
    assert settings.github_token.get_secret_value() == "canary-token-1"
    assert "canary" not in repr(settings)
    given = Settings.load(github_token="canary-token-3").github_token
    assert given is not None
    assert given.get_secret_value() == "canary-token-3"


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("https://api.github.com/", "https://api.github.com"),
        ("https://GHE.example.com/api/v3/", "https://ghe.example.com/api/v3"),
        ("https://api.acme.ghe.com", "https://api.acme.ghe.com"),
        ("http://127.0.0.1:8080", "http://127.0.0.1:8080"),
        ("http://localhost:8080/api/v3", "http://localhost:8080/api/v3"),
    ],
)
def test_the_api_of_github_may_be_elsewhere(given: str, kept: str) -> None:
    assert Settings.load(github_api_url=given).github_api_url == kept


@pytest.mark.parametrize(
    ("given", "what"),
    [
        ("http://ghe.example.com/api/v3", "without encryption"),
        ("http://ghe/api/v3", "without encryption"),
        ("https://github.com", "for people"),
        ("https://ada:canary-password@ghe.example.com/api/v3", "user name or password"),
        ("https://ghe.example.com/api/v3?token=canary", "is not the URL of an API"),
        ("ghe.example.com", "is not the URL of an API"),
    ],
)
def test_the_api_of_github_is_an_https_url(given: str, what: str) -> None:
    (problem,) = refused(github_api_url=given)
    assert problem.startswith("github_api_url: ")
    assert what in problem
    assert "canary" not in problem


def test_the_number_of_an_installation_is_a_number() -> None:
    assert Settings.load(github_app_installation_id="17").github_app_installation_id == 17
    (problem,) = refused(github_app_installation_id="canary")
    assert problem.startswith("github_app_installation_id: ")
    assert "canary" not in problem


KEY = "-----BEGIN RSA PRIVATE KEY-----\ncanary\n-----END RSA PRIVATE KEY-----"


def test_the_key_of_an_app_is_given_or_in_a_file(tmp_path: Path) -> None:
    place = tmp_path / "app.pem"
    place.write_text(f"{KEY}\n")
    for given in (
        {"github_app_private_key": KEY},
        {"github_app_private_key": KEY.replace("\n", "\\n")},
        {"github_app_private_key_path": place},
    ):
        settings = Settings.load(github_app_id="7", **given)
        key = settings.github_private_key()
        assert key is not None
        assert key.get_secret_value() == KEY
        assert "canary" not in repr(settings)
    assert Settings.load().github_private_key() is None


@pytest.mark.parametrize(
    ("given", "problem"),
    [
        ({"github_app_id": "7"}, "github_app_private_key: is missing"),
        ({"github_app_private_key": KEY}, "github_app_id: is missing"),
        (
            {"github_app_id": "7", "github_app_private_key": KEY, "github_token": "canary"},
            "github_token and github_app",
        ),
        ({"github_app_id": "7", "github_app_private_key": KEY, "github_app_private_key_path": "x"}, "is given twice"),
        ({"github_app_id": "7", "github_app_private_key_path": "nowhere.pem"}, "nowhere.pem cannot be read: No such"),
    ],
)
def test_half_an_app_is_told(given: dict[str, str], problem: str) -> None:
    with pytest.raises(SettingsError) as caught:
        Settings.load(**given).github_private_key()
    (told,) = caught.value.problems
    assert problem in told
    assert "canary" not in told
    assert caught.value.__cause__ is None
    assert caught.value.__context__ is None


def test_the_api_is_closed_and_believes_nobody_until_told() -> None:
    settings = Settings.load()
    assert (settings.api_host, settings.api_port, settings.api_anonymous) == ("127.0.0.1", 8000, "")
    assert (settings.api_oidc_issuer, settings.api_oidc_audience, settings.api_trusted_proxies) == ("", "", "")
    assert (settings.api_max_upload_bytes, settings.api_rate_per_minute) == (10 * 1024 * 1024, 120)
    assert settings.api_upload_mode == "commit"
    settings.check_oidc()


def test_proxies_are_addresses_and_networks() -> None:
    assert Settings.load(api_trusted_proxies=" 10.0.0.4,fd00::/8 ").api_trusted_proxies == "10.0.0.4/32, fd00::/8"
    (problem,) = refused(api_trusted_proxies="canary")
    assert problem.startswith("api_trusted_proxies: is not a list of addresses and networks; write addresses")


@pytest.mark.parametrize(
    "issuer", ["http://issuer.example.com", "https://a b", "https://me@issuer", "ftp://x", "https://i/?q"]
)
def test_an_issuer_whose_keys_nobody_can_trust_is_refused(issuer: str) -> None:
    (problem,) = refused(api_oidc_issuer=issuer)
    assert problem.startswith("api_oidc_issuer: ")


@pytest.mark.parametrize(("given", "missing"), [("issuer", "audience"), ("audience", "issuer")])
def test_tokens_take_an_issuer_and_an_audience(given: str, missing: str) -> None:
    value = {"issuer": "https://issuer.example.com/", "audience": "sharepack"}[given]
    with pytest.raises(SettingsError, match=rf"api_oidc_{missing}: is missing, and api_oidc_{given} is given"):
        Settings.load(**{f"api_oidc_{given}": value}).check_oidc()
