"""A packs repository on GitHub with the workflows of this project, a workspace and a database, and the people around."""

import shutil
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

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
    "admin: true}",
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
        """What the workspace shares, by what it says itself."""
        return sorted(each["name"] for each in self._share(share).get("objects", []))

    def readers(self, share: str) -> list[str]:
        grants = self.control.call("GET", f"/api/2.1/unity-catalog/shares/{share}/permissions")
        return sorted(each["principal"] for each in grants.get("privilege_assignments", []))

    def _share(self, share: str) -> Mapping[str, Any]:
        found: Mapping[str, Any] = self.control.call(
            "GET", f"/api/2.1/unity-catalog/shares/{share}?include_shared_data=true"
        )
        return found


def workflow_files() -> dict[str, str]:
    """Those of this project, as a packs repository has them: its action installs a released version."""
    github = TOP / ".github"
    paths = [*github.glob("workflows/*.yml"), *github.glob("actions/*/action.yml")]
    found = {f".github/{path.relative_to(github)}": path.read_text(encoding="utf-8") for path in paths}
    del found[".github/workflows/ci.yml"]
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


def clear(folder: Path) -> None:
    shutil.rmtree(folder, ignore_errors=True)
