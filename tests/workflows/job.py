"""One job, its steps in order: conditions, environments, outputs, composite actions, and the token it is given."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tests.workflows.commands import Command, StepLog
from tests.workflows.expressions import Context, evaluate, interpolate, is_met
from tests.workflows.external import Around, StepFailedError, use
from tests.workflows.files import Action, Step, read_action
from tests.workflows.machine import JobError, Machine


@dataclass(slots=True)
class StepSeen:
    """A step, for tests to look at."""

    name: str
    #: success, failure or skipped.
    outcome: str
    #: All that the step finds in its environment, when it runs a script.
    env: Mapping[str, str] = field(default_factory=dict)
    #: With what is masked masked.
    log: str = ""
    annotations: Sequence[Command] = ()


@dataclass(slots=True)
class JobRunning:
    machine: Machine
    around: Around
    #: github, vars, secrets, needs, inputs; `steps` and the inputs of actions are added here.
    names: Mapping[str, Any]
    is_cancelled: Callable[[], bool]
    #: Called with the name of each step before it runs, and not within actions.
    before_step: Callable[[str], None]
    seen: list[StepSeen] = field(default_factory=list)
    is_failed: bool = False

    def run(self, steps: Sequence[Step]) -> bool:
        """Whether all went well."""
        self._run(steps, self.names, announce=self.before_step)
        return not self.is_failed

    def _run(
        self, steps: Sequence[Step], names: Mapping[str, Any], announce: Callable[[str], None] = lambda _name: None
    ) -> dict[str, Any]:
        done: dict[str, Any] = {}
        for step in steps:
            announce(step.name)
            context = Context({**names, "steps": done}, self.is_failed, self.is_cancelled())
            outcome, outputs = self._step(step, context)
            if step.id:
                done[step.id] = {"outcome": outcome, "conclusion": outcome, "outputs": outputs}
        return done

    def _step(self, step: Step, context: Context) -> tuple[str, Mapping[str, str]]:
        if not is_met(step.condition, context):
            self.seen.append(StepSeen(step.name, "skipped"))
            return "skipped", {}
        inputs = {name: interpolate(value, context) for name, value in step.inputs.items()}
        before = self.is_failed
        if step.uses.startswith("./"):
            outputs = self._composite(step, inputs, context)
            is_ok = self.is_failed is before
        elif step.uses:
            is_ok, outputs = self._external(step, inputs)
        else:
            is_ok, outputs = self._script(step, context)
        self.is_failed = self.is_failed or not is_ok
        return "success" if is_ok else "failure", outputs

    def _composite(self, step: Step, inputs: Mapping[str, str], context: Context) -> Mapping[str, str]:
        """Outer steps are not seen in it, nor are secrets and variables: only what is handed in."""
        action = self._action(step.uses)
        names = {"github": context.names["github"], "inputs": _with_defaults(step.uses, action, inputs)}
        done = self._run(action.steps, names)
        inner = Context({**names, "steps": done})
        return {name: str(evaluate(text[3:-2], inner) or "") for name, text in action.outputs.items()}

    def _action(self, uses: str) -> Action:
        path = self.machine.workspace / uses / "action.yml"
        if not path.is_file():
            raise JobError(f"{uses} is not in what was checked out")
        action = read_action(uses, path.read_text(encoding="utf-8"))
        if any(each.run and each.shell != "bash" for each in action.steps):
            raise JobError(f"{uses}: in an action, a script says its shell: bash")
        return action

    def _external(self, step: Step, inputs: Mapping[str, str]) -> tuple[bool, Mapping[str, str]]:
        try:
            outputs = use(step.uses, inputs, self.around)
        except StepFailedError as error:
            self.seen.append(StepSeen(step.name, "failure", log=str(error)))
            return False, {}
        self.seen.append(StepSeen(step.name, "success"))
        return True, outputs

    def _script(self, step: Step, context: Context) -> tuple[bool, Mapping[str, str]]:
        env = {name: interpolate(value, context) for name, value in step.env.items()}
        done = self.machine.run(step.run, env, is_strict=step.shell == "bash")
        self._check_leaks(step, done.log)
        outcome = "success" if done.is_ok else "failure"
        log = self._masked("\n".join(done.log.lines))
        self.seen.append(StepSeen(step.name, outcome, self.machine.env | env, log, tuple(done.log.annotations)))
        return done.is_ok, done.outputs

    def _check_leaks(self, step: Step, log: StepLog) -> None:
        said = "\n".join([*log.lines, *(each.data for each in log.annotations)])
        for secret in self._secrets():
            if secret in said:
                raise JobError(f"{step.name} prints a secret:\n{self._masked(said)}")

    def _secrets(self) -> Iterator[str]:
        yield from self.machine.masks
        yield from (value for value in self.names.get("secrets", {}).values() if value)
        yield self.names["github"]["token"]

    def _masked(self, text: str) -> str:
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text


def _with_defaults(uses: str, action: Action, inputs: Mapping[str, str]) -> Mapping[str, str]:
    if unknown := inputs.keys() - action.inputs.keys():
        raise JobError(f"{uses}: there are no inputs {sorted(unknown)}")
    if missing := [name for name, default in action.inputs.items() if default is None and name not in inputs]:
        raise JobError(f"{uses}: the inputs {missing} are missing")
    return {name: inputs.get(name, default or "") for name, default in action.inputs.items()}
