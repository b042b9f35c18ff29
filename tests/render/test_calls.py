import pytest

from reconciler.core.calls import (
    Call,
    ChangeGrants,
    CreateRecipient,
    CreateShare,
    DeleteRecipient,
    DeleteShare,
    UpdateRecipient,
    UpdateShare,
)
from reconciler.core.key import recipient_key, share_key
from reconciler.core.recipient import DatabricksSharing, TokenSharing
from reconciler.core.share import ObjectType, SharedObject
from reconciler.render.calls import calls_text
from reconciler.render.wire import Request, request_of
from tests.render.golden_files import the_text_is_as_committed
from tests.render.scenes import scenes

BASE = "/api/2.1/unity-catalog"
R = recipient_key("partner", "https://w")
S = share_key("sales", "https://w")
TABLE = SharedObject("c.s.t", ObjectType.TABLE)
VIEW = SharedObject("c.s.v", ObjectType.VIEW)

REQUESTS: list[tuple[Call, Request]] = [
    (
        CreateRecipient(R, TokenSharing(), ("10.0.0.0/8",), "hello"),
        Request(
            "POST",
            f"{BASE}/recipients",
            {
                "name": "partner",
                "authentication_type": "TOKEN",
                "ip_access_list": {"allowed_ip_addresses": ["10.0.0.0/8"]},
                "comment": "hello",
            },
        ),
    ),
    (
        CreateRecipient(R, DatabricksSharing("aws:us-west-2:abc")),
        Request(
            "POST",
            f"{BASE}/recipients",
            {
                "name": "partner",
                "authentication_type": "DATABRICKS",
                "data_recipient_global_metastore_id": "aws:us-west-2:abc",
            },
        ),
    ),
    (UpdateRecipient(R, (), ""), Request("PATCH", f"{BASE}/recipients/partner", {"ip_access_list": {}, "comment": ""})),
    (DeleteRecipient(R), Request("DELETE", f"{BASE}/recipients/partner")),
    (CreateShare(S), Request("POST", f"{BASE}/shares", {"name": "sales"})),
    (
        UpdateShare(S, "new", remove=(VIEW,), add=(TABLE,)),
        Request(
            "PATCH",
            f"{BASE}/shares/sales",
            {
                "comment": "new",
                "updates": [
                    {"action": "REMOVE", "data_object": {"name": "c.s.v", "data_object_type": "VIEW"}},
                    {"action": "ADD", "data_object": {"name": "c.s.t", "data_object_type": "TABLE"}},
                ],
            },
        ),
    ),
    (UpdateShare(S, "only words"), Request("PATCH", f"{BASE}/shares/sales", {"comment": "only words"})),
    (
        ChangeGrants(S, grant=("a",), revoke=("b",)),
        Request(
            "PATCH",
            f"{BASE}/shares/sales/permissions",
            {
                "changes": [{"principal": "b", "remove": ["SELECT"]}, {"principal": "a", "add": ["SELECT"]}],
                "omit_permissions_list": True,
            },
        ),
    ),
    (DeleteShare(S), Request("DELETE", f"{BASE}/shares/sales")),
]


@pytest.mark.parametrize(("call", "request_"), REQUESTS)
def test_a_call_is_the_request_of_the_contract(call: Call, request_: Request) -> None:
    assert request_of(call) == request_


@pytest.mark.parametrize("name", ["new", "removed"])
def test_the_text_of_the_calls_is_as_committed(name: str) -> None:
    the_text_is_as_committed(f"{name}.calls.txt", calls_text(scenes()[name]))


def test_the_calls_of_a_plan_are_shown_in_order_and_counted() -> None:
    lines = calls_text(scenes()["changed"]).splitlines()
    assert [line.split()[0] for line in lines if "/api/" in line] == ["PATCH", "PATCH", "PATCH"]
    assert '"remove": ["SELECT"]' in lines[2]
    assert lines[-1] == "3 API calls."


def test_a_held_step_shows_no_call() -> None:
    assert "DELETE" not in calls_text(scenes()["uncommitted"])
