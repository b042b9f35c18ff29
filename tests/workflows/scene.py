"""A packs repository on GitHub with the workflows of this project, a workspace, a database, and the people around."""

import json
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.error import HTTPError
from urllib.request import Request, urlopen

from reconciler import __version__
from reconciler.sandbox import ControlClient
from tests.github.stand_in import StandIn
from tests.workflows.hub import Environment, Hub, Run
from tests.workflows.linting import TOP

PLAN, APPLY = "sharepack-plan", "sharepack-apply"
#: Whom the sandbox lets in, by ID tokens of GitHub alone.
PRINCIPALS: Final = {
    "planner@sandbox.example": f'{{client_id: planner, federated_subject: "repo:acme/packs:environment:{PLAN}", '
    "groups: [data-readers], privileges: [USE_SHARE, USE_RECIPIENT]}",
    "deployer@sandbox.example": f'{{client_id: deployer, federated_subject: "repo:acme/packs:environment:{APPLY}", '
    # With the token, somebody at the keyboard is the same owner of the shares.
    "admin: true, token: by-hand}",
}
Files = Mapping[str, str | bytes | None]


@dataclass
class Scene:
    github: StandIn
    hub: Hub
    control: ControlClient
    database_url: str

    def commit(self, branch: str, files: Files, *, fork: str | None = None, onto: str = "main") -> str:
        """Paths are below sharepacks/."""
        inside = {f"sharepacks/{path}": content for path, content in files.items()}
        return self.github.commit(branch, inside, f"Change {', '.join(files)}"[:60], fork=fork, onto=onto)

    def open(self, branch: str, files: Files, *, title: str = "", by: str = "ada", fork: str | None = None) -> int:
        """A pull request with one commit, and what GitHub runs for it."""
        self.commit(branch, files, fork=fork, onto=self.main)
        number = self.github.open_pull(branch, title or f"Change {branch}", by=by, fork=fork)
        self.hub.happen("pull_request", by=by, number=number, action="opened")
        return number

    def push(self, number: int, files: Files, *, by: str = "ada") -> list[Run]:
        """One more commit on the branch of a pull request."""
        pull = self.github.pull(number)
        before = pull.head
        self.commit(pull.branch, files, fork=pull.fork)
        return self.hub.happen("pull_request", by=by, number=number, action="synchronize", before=before)

    def merge(self, number: int, *, by: str = "rita", approved_by: str | None = "rita") -> list[Run]:
        """Approved in a review, merged, and what GitHub runs for that."""
        if approved_by:
            self.github.review(number, approved_by, "APPROVED")
        before = self.main
        self.github.merge(number, by=by)
        return self.hub.happen("push", by=by, before=before)

    def say(self, number: int, by: str, text: str) -> list[Run]:
        comment = self.github.say(number, by, text)
        return self.hub.happen("issue_comment", by=by, number=number, comment=comment)

    def dispatch(self, workflow: str, inputs: Mapping[str, str] | None = None) -> list[Run]:
        return self.hub.happen("workflow_dispatch", by="rita", only=workflow, inputs=inputs)

    @property
    def main(self) -> str:
        found = self.github.git.resolve("refs/heads/main")
        assert found is not None
        return found

    def comment(self, number: int, nth: int = -1) -> str:
        """Of the workflows."""
        mine = [body for who, body in self.github.comments(number) if who == "github-actions[bot]"]
        return mine[nth]

    def comments(self, number: int) -> list[str]:
        return [body for who, body in self.github.comments(number) if who == "github-actions[bot]"]

    def objects(self, share: str) -> list[str]:
        """What the workspace shares, by what it says itself; nothing when there is no such share."""
        return sorted(each["name"] for each in self._ask(f"shares/{share}?include_shared_data=true").get("objects", []))

    def readers(self, share: str) -> list[str]:
        grants = self._ask(f"shares/{share}/permissions").get("privilege_assignments", [])
        return sorted(each["principal"] for each in grants)

    def by_hand(self, share: str, *, add: str = "", remove: str = "") -> None:
        """Somebody changes a share in Databricks, past Git."""
        action, name = ("ADD", add) if add else ("REMOVE", remove)
        update = {"action": action, "data_object": {"name": name, "data_object_type": "TABLE"}}
        self._ask(f"shares/{share}", {"updates": [update]})

    def history(self, key: str) -> Mapping[str, Any]:
        """The newest version, as `sharepack history` tells it."""
        settings = {"domain_db_connection_string": self.database_url, "databricks_host": self.control.url}
        env = {**settings, "PATH": "/usr/bin:/bin", "HOME": str(self.hub.folder)}
        command = [str(self.hub.sharepack), "history", key, "--format", "json"]
        done = subprocess.run(command, env=env, cwd=self.hub.folder, capture_output=True, text=True, check=True)
        found: Mapping[str, Any] = json.loads(done.stdout)["versions"][-1]
        return found

    def _ask(self, what: str, change: object = None) -> Mapping[str, Any]:
        request = Request(
            f"{self.control.url}/api/2.1/unity-catalog/{what}",
            data=None if change is None else json.dumps(change).encode(),
            headers={"Authorization": "Bearer by-hand", "Content-Type": "application/json"},
            method="GET" if change is None else "PATCH",
        )
        try:
            with urlopen(request, timeout=30) as answer:
                found: Mapping[str, Any] = json.load(answer)
        except HTTPError as error:
            with error:
                if error.code != 404:
                    raise
                return {}
        return found


def workflow_files() -> dict[str, str]:
    """Those of this project, as a packs repository has them: its action installs a released version."""
    github = TOP / ".github"
    paths = [*github.glob("workflows/*.yml"), *github.glob("actions/*/action.yml")]
    found = {f".github/{path.relative_to(github)}": path.read_text(encoding="utf-8") for path in paths}
    for own in ("ci", "deep"):
        del found[f".github/workflows/{own}.yml"]
    action = ".github/actions/sharepack/action.yml"
    assert "default: ./\n" in found[action]
    found[action] = found[action].replace("default: ./\n", f'default: "{__version__}"\n')
    return found


def furnish(hub: Hub, workspace: str, database_url: str) -> None:
    """The settings that the workflows' comments ask for: the plan's in a Key Vault, and the apply's in a secret."""
    hub.variables["DATABRICKS_HOST"] = workspace
    hub.environments[PLAN] = Environment(
        variables={
            "DATABRICKS_CLIENT_ID": "planner",
            "SHAREPACK_KEY_VAULT": "packs-vault",
            "AZURE_CLIENT_ID": "azure-planner",
            "AZURE_TENANT_ID": "acme",
        }
    )
    hub.identities["azure-planner"] = f"repo:acme/packs:environment:{PLAN}"
    hub.vault("packs-vault", "sharepack-database", "azure-planner", database_url)
    hub.environments[APPLY] = Environment(
        variables={"DATABRICKS_CLIENT_ID": "deployer"}, secrets={"DOMAIN_DB_CONNECTION_STRING": database_url}
    )
