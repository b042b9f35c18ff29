"""Who is who, held to section 6 of the contract."""

import pytest
from databricks.sdk import WorkspaceClient

from reconciler.sandbox import Sandbox, Seed
from tests.sandbox.plain import GUEST, USER, Plain

SCIM = "/api/2.0/preview/scim/v2"
PEOPLE = """
principals:
  admin@sandbox.example: {token: dapi-sandbox-admin, admin: true, groups: [platform]}
  0a1b2c3d-0000-4000-8000-000000000001: {token: dapi-sandbox-guest, groups: [robots, platform]}
"""


def test_everybody_is_told_who_they_are_and_which_groups_they_are_in(plain: Plain, workspace: WorkspaceClient) -> None:
    me = plain.as_(USER).get(f"{SCIM}/Me").body
    assert (me["userName"], [each["display"] for each in me["groups"]]) == ("analyst@sandbox.example", ["data-readers"])
    assert workspace.current_user.me().user_name == "sharepack@sandbox.example"


def test_a_service_principal_goes_by_its_application_id() -> None:
    with Sandbox(Seed.from_yaml(PEOPLE)).serving() as url:
        _check_service_principal(Plain(url))


def _check_service_principal(plain: Plain) -> None:
    me = plain.as_(GUEST).get(f"{SCIM}/Me").body
    assert me["userName"] == "0a1b2c3d-0000-4000-8000-000000000001"
    assert me["emails"] == []
    assert plain.get(f"{SCIM}/Users").body["totalResults"] == 1
    (found,) = plain.get(f"{SCIM}/ServicePrincipals").body["Resources"]
    assert found["applicationId"] == me["userName"]
    assert [each["display"] for each in found["groups"]] == ["platform", "robots"]


@pytest.mark.parametrize(
    ("path", "names"),
    [
        ('Users?filter=userName%20eq%20"Analyst@sandbox.example"', ["analyst@sandbox.example"]),
        ('Users?filter=userName%20eq%20"nobody@sandbox.example"', []),
        ('Groups?filter=displayName%20eq%20"data-owners"', ["data-owners"]),
        ("Groups?startIndex=2&count=1", ["data-readers"]),
    ],
)
def test_people_and_groups_are_found_by_name(plain: Plain, path: str, names: list[str]) -> None:
    answer = plain.get(f"{SCIM}/{path}")
    found = [each.get("userName", each["displayName"]) for each in answer.body["Resources"]]
    assert found == names


def test_a_group_names_its_members(plain: Plain) -> None:
    (group,) = plain.get(f'{SCIM}/Groups?filter=displayName%20eq%20"data-owners"').body["Resources"]
    assert [each["display"] for each in group["members"]] == ["owner@sandbox.example"]


@pytest.mark.parametrize("query", ["filter=userName%20co%20%22x%22", "count=many"])
def test_what_is_not_supported_is_refused(plain: Plain, query: str) -> None:
    assert plain.get(f"{SCIM}/Users?{query}").error == (400, "INVALID_PARAMETER_VALUE")
