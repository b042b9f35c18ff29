"""Sign-in, headers, routing, errors and pages, held to the contract."""

import base64
import http.client
import json

import pytest
from databricks.sdk import WorkspaceClient
from databricks.sdk.core import Config

from reconciler.sandbox import ControlClient
from tests.sandbox.plain import SALES, UNITY, USER, Plain, an_add

INVALID = (400, "INVALID_PARAMETER_VALUE")


def test_host_metadata(plain: Plain) -> None:
    """Contract 1.2: what the SDK asks for on every start; needs no sign-in."""
    found = plain.as_(None).get("/.well-known/databricks-config").body
    assert found["oidc_endpoint"] == f"{plain.url}/oidc"
    assert found["workspace_id"] == "900800700600"
    assert found["cloud"] == "AZURE"
    assert found["account_id"]


def test_sdk_signs_in_with_client_credentials(url: str, control: ControlClient) -> None:
    """Contract 1.3: metadata, discovery, token; the token expires after an hour."""
    config = Config(
        host=url,
        client_id="sandbox-client",
        client_secret="sandbox-secret",
        retry_timeout_seconds=5,
        http_timeout_seconds=10,
    )
    workspace = WorkspaceClient(config=config)
    assert workspace.current_user.me().user_name == "sharepack@sandbox.example"
    assert workspace.get_workspace_id() == 900800700600
    token = config.authenticate()["Authorization"].removeprefix("Bearer ")
    control.advance_clock(3601)
    assert Plain(url, token).get("shares").error == (401, "UNAUTHENTICATED")


def test_wrong_client_credentials(plain: Plain, url: str) -> None:
    """Contract 1.3: failure is an OAuth error with 401, which the SDK raises as ValueError."""
    basic = base64.b64encode(b"sandbox-client:wrong").decode()
    answer = plain.as_(None).call(
        "POST",
        "/oidc/accounts/any/v1/token",
        b"grant_type=client_credentials&scope=all-apis",
        {"Authorization": f"Basic {basic}"},
    )
    assert (answer.status, answer.body["error"]) == (401, "invalid_client")
    config = Config(host=url, client_id="sandbox-client", client_secret="no", retry_timeout_seconds=2)
    with pytest.raises(ValueError, match="invalid_client"):
        WorkspaceClient(config=config).current_user.me()


@pytest.mark.parametrize(
    ("token", "error", "message"),
    [(None, (401, "UNAUTHENTICATED"), "Credential"), ("unknown", (403, "403"), "Invalid access token.")],
)
def test_without_a_known_token(plain: Plain, token: str | None, error: tuple[int, str], message: str) -> None:
    """Contract 1.10: UNCONFIRMED statuses: 401 for a missing token, 403 for an unknown one."""
    answer = plain.as_(token).get("shares")
    assert answer.error == error
    assert message in answer.body["message"]


def test_every_answer_names_request_and_workspace(plain: Plain) -> None:
    """Contract 1.6, 1.10: X-Request-Id, also in the details of an error, and X-Databricks-Org-Id."""
    for path in ("shares", "shares/nothing", "/nowhere"):
        answer = plain.get(path)
        assert answer.headers["X-Databricks-Org-Id"] == "900800700600"
        assert answer.headers["Content-Type"].startswith("application/json")
        if answer.status != 200:
            assert answer.body["details"][1]["request_id"] == answer.headers["X-Request-Id"]


def test_unknown_routes(plain: Plain) -> None:
    """Contract 1.6: 404 ENDPOINT_NOT_FOUND, also for a method a path does not have."""
    for method, path in (("GET", "/api/2.2/jobs/list"), ("PUT", f"{UNITY}/shares"), ("GET", "/")):
        answer = plain.call(method, path)
        assert answer.error == (404, "ENDPOINT_NOT_FOUND")
        assert answer.body["message"] == f"No API found for '{method} {path}'"


def test_paths_are_read_as_clients_send_them(plain: Plain) -> None:
    """Contract 1.5, 1.7: split first and decoded after, segment by segment; a trailing slash is ignored."""
    plain.a_share()
    for path in ("shares/s%61les", "shares/sales/"):
        assert plain.get(path).body["name"] == "sales"
    assert plain.get("shares/a%2Fb").body["message"] == "Share 'a/b' does not exist"


def test_absolute_targets(url: str) -> None:
    """Contract 1.7: a client that takes the sandbox for a proxy sends the whole address."""
    connection = http.client.HTTPConnection(url.removeprefix("http://"))
    connection.request(
        "GET", f"http://sandbox.test{UNITY}/metastore_summary", headers={"Authorization": "Bearer dapi-sandbox-admin"}
    )
    assert connection.getresponse().status == 200
    connection.close()


@pytest.mark.parametrize("body", [b"{", b"[]", b'"x"', b"\xff"])
def test_malformed_bodies(plain: Plain, body: bytes) -> None:
    """Contract 11: 400 MALFORMED_REQUEST. UNCONFIRMED code."""
    assert plain.post("shares", body).error == (400, "MALFORMED_REQUEST")


@pytest.mark.parametrize(
    ("path", "body", "fragment"),
    [
        ("recipients", {"name": "x", "expiration_time": "soon"}, "expiration_time must be a whole number"),
        ("recipients", {"name": "x", "ip_access_list": []}, "ip_access_list must be an object"),
        ("recipients", {"name": "x", "ip_access_list": {"allowed_ip_addresses": [1]}}, "must be a list of strings"),
        ("shares/sales", {"updates": ["x"]}, "updates must be a list of objects"),
        ("shares/sales", {"updates": [an_add(f"{SALES}.refunds", cdf_enabled="yes")]}, "must be true or false"),
    ],
)
def test_fields_of_the_wrong_type(plain: Plain, path: str, body: dict[str, object], fragment: str) -> None:
    """Contract 11: 400 INVALID_PARAMETER_VALUE. UNCONFIRMED code."""
    plain.a_share()
    answer = plain.call("PATCH" if "/" in path else "POST", f"{UNITY}/{path}", body)
    assert answer.error == INVALID
    assert fragment in answer.body["message"]


def test_content_types_do_not_matter(plain: Plain) -> None:
    """Contract 1.7: an old client sends text/json, and a body with DELETE."""
    made = plain.call("POST", f"{UNITY}/shares", b'{"name": "x"}', {"Content-Type": "text/json"})
    assert made.status == 200
    assert plain.call("DELETE", f"{UNITY}/shares/x", b"{}", {"Content-Type": "text/json"}).body == {}


def names_by_page(plain: Plain, path: str, field: str, size: int) -> list[list[str]]:
    pages, token = [], ""
    while True:
        answer = plain.get(f"{path}max_results={size}" + (f"&page_token={token}" if token else "")).body
        pages.append([each["name"] for each in answer.get(field, [])])
        token = answer.get("next_page_token", "")
        if not token:
            return pages


def test_pages(plain: Plain, control: ControlClient) -> None:
    """Contract 1.9: unset is everything, 0 the server's size, more is cut to it; no token on the last page."""
    everyone = {f"share-{number}" for number in range(5)}
    for name in everyone:
        plain.a_share(name)
    control.knobs(page_size=2)
    assert {each["name"] for each in plain.get("shares").body["shares"]} == everyone
    for size in (0, 2, 50):
        pages = names_by_page(plain, "shares?", "shares", size)
        assert [len(each) for each in pages] == [2, 2, 1]
        assert {name for each in pages for name in each} == everyone
    assert [len(each) for each in names_by_page(plain, "shares?", "shares", 1)] == [1, 1, 1, 1, 1]


@pytest.mark.parametrize("query", ["max_results=-1", "max_results=x", "page_token=x", "page_token=W10="])
def test_bad_page_queries(plain: Plain, query: str) -> None:
    """Contract 1.9: a negative size is invalid; a bad token is by choice (UNCONFIRMED)."""
    assert plain.get(f"shares?{query}").error == INVALID


def test_the_sdk_follows_empty_and_shuffled_pages(
    plain: Plain, control: ControlClient, workspace: WorkspaceClient
) -> None:
    """Contract 1.9: a page may be empty and still carry a token; the order is not promised."""
    everyone = {f"r{number}" for number in range(5)}
    for name in everyone:
        plain.a_recipient(name)
    control.knobs(page_size=1, empty_middle_pages=True, shuffle_lists=True)
    found = [str(each.name) for each in workspace.recipients.list()]
    assert set(found) == everyone
    assert len(found) == 5
    assert [] in names_by_page(plain, "recipients?", "recipients", 1)


def test_a_list_may_change_between_its_pages(plain: Plain, control: ControlClient) -> None:
    """Contract 1.9: the token is opaque; deleting what was already listed loses nothing that follows."""
    for name in ("a", "b", "c"):
        plain.a_share(name)
    control.knobs(page_size=1)
    first = plain.get("shares?max_results=1").body
    plain.delete("shares/a")
    second = plain.get(f"shares?max_results=1&page_token={first['next_page_token']}").body
    assert [each["name"] for each in first["shares"] + second["shares"]] == ["a", "b"]


def test_permission_lists_are_paged_too(plain: Plain, control: ControlClient) -> None:
    """Contract 1.9: the permission endpoints are single-page calls of the SDK; the caller follows the token."""
    plain.a_share()
    for name in ("a", "b", "c"):
        plain.a_recipient(name)
        plain.a_grant("sales", name)
    control.knobs(page_size=2)
    page = plain.get("shares/sales/permissions?max_results=0").body
    assert len(page["privilege_assignments"]) == 2
    rest = plain.get(f"shares/sales/permissions?max_results=0&page_token={page['next_page_token']}").body
    assert [each["principal"] for each in rest["privilege_assignments"]] == ["c"]
    tables = plain.get("volumes?catalog_name=prod_catalog&schema_name=sales").body
    assert "next_page_token" not in tables


def test_reads_may_be_stale_after_a_write(plain: Plain, control: ControlClient) -> None:
    """Contract 4.6, 9.4: for N reads after a write the old value comes back; a new object is missing at first."""
    control.knobs(stale_reads=1)
    plain.a_share()
    assert [plain.get("shares/sales").status for _ in range(2)] == [404, 200]
    assert plain.get("shares/sales/permissions").status == 404, "permissions lag on their own"
    changed = plain.patch("shares/sales", {"updates": [an_add(f"{SALES}.refunds")]})
    assert len(changed.body["objects"]) == 1, "the answer to a write is never stale"
    assert [len(plain.objects()) for _ in range(2)] == [0, 1]
    plain.patch("shares/sales", {"new_name": "other"})
    assert [plain.get(f"shares/{name}").status for name in ("sales", "sales", "other", "other")] == [200, 404, 404, 200]
    plain.delete("shares/other")
    assert [plain.get("shares/other").status for _ in range(2)] == [200, 404]


def test_who_is_asking(plain: Plain) -> None:
    """Contract 6: the SCIM description of the caller."""
    found = plain.as_(USER).get("/api/2.0/preview/scim/v2/Me").body
    assert found["userName"] == "analyst@sandbox.example"
    assert [each["display"] for each in found["groups"]] == ["data-readers"]
    assert json.dumps(found)
