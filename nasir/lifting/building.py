"""Steps from calls in normal form."""

from collections.abc import Sequence

from nasir.ir.ops import OPS
from nasir.ir.ops.result import Result
from nasir.ir.values import Scalar
from nasir.lifting.declared import signatures
from nasir.lifting.matching import Around, Match, matched
from nasir.lifting.reading import Unliftable
from nasir.lifting.steps import Step, TorchCall


def _is_result(step: Step) -> bool:
    """Whether it is one of the several results of another step."""
    return isinstance(OPS[step.op], Result)


class Builder:
    """Makes steps of a reader's calls; the first is the input."""

    def __init__(self, op: str, attributes: Sequence[tuple[str, Scalar]], shape: Sequence[int]) -> None:
        first = Step("x", op, (), tuple(attributes), tuple(shape))
        self._steps: dict[str, Step] = {"x": first}
        self._calls: dict[str, TorchCall] = {}
        self._joined: dict[tuple[str, ...], str] = {}

    def steps(self, outputs: Sequence[str]) -> tuple[Step, ...]:
        """The steps that these need, in order; all results of one that has several."""
        live: set[str] = set(outputs)
        for step in reversed(self._steps.values()):
            if step.name in live or (_is_result(step) and step.operands[0] in live):
                live |= {step.name, *step.operands}
        # A result is needed with its siblings, which come after what makes them.
        return tuple(
            step
            for step in self._steps.values()
            if step.name in live or (_is_result(step) and step.operands[0] in live) or step.name == "x"
        )

    def given(self, name: str, shape: Sequence[int]) -> None:
        """In the place of a call that no program can say, of which there will be none then."""
        self._steps[name] = Step(name, "", (), shape=tuple(shape))

    def emit(self, call: TorchCall) -> str:
        """The name of the step that the call is; a padding before it becomes its own where that says the same.

        Raises:
            Unliftable: where it is none.
        """
        operands, match = self._match(call)
        name = f"s{len(self._steps)}"
        attributes = tuple(match.attributes.items())
        self._steps[name] = Step(
            name, match.op.name, operands, attributes, call.shape, match.weights, call.parts, call.place
        )
        self._calls[name] = call
        if call.target == "cat":
            self._joined[self._members(call.operands)] = name
        return name

    def _match(self, call: TorchCall) -> tuple[tuple[str, ...], Match]:
        before = self._calls.get(call.operands[0])
        if before is not None and before.target == "pad":
            around = Around(before.arguments["pad"], before.arguments["value"])
            inner = (before.operands[0], *call.operands[1:])
            try:
                return inner, matched(call, [self._steps[one].type for one in inner], around)
            except Unliftable:
                pass  # then the padding is a step of its own
        return call.operands, matched(call, [self._steps[one].type for one in call.operands])

    def results(self, name: str) -> Sequence[str]:
        """The results of a step that has several."""
        several = self._steps[name]
        shape = (several.shape[0] // several.parts, *several.shape[1:])
        found: list[str] = []
        for i in range(several.parts):
            one = f"s{len(self._steps)}"
            self._steps[one] = Step(one, Result.name, (name,), (("index", i),), shape, place=several.place)
            found.append(one)
        return found

    def step(self, name: str) -> Step:
        return self._steps[name]

    def place(self, name: str) -> int:
        return list(self._steps).index(name)

    def call(self, name: str) -> TorchCall | None:
        return self._calls.get(name)

    def joined(self, operands: Sequence[str]) -> str | None:
        return self._joined.get(self._members(operands))

    def knows(self, target: str) -> bool:
        return target in signatures()

    def sized(self, sizes: Sequence[int]) -> str | None:
        return next((name for name, step in self._steps.items() if step.shape[1:] == tuple(sizes)), None)

    def _members(self, operands: Sequence[str]) -> tuple[str, ...]:
        """What is joined, one by one, where it was joined before."""
        found: list[str] = []
        for one in operands:
            call = self._calls.get(one)
            found += self._members(call.operands) if call is not None and call.target == "cat" else (one,)
        return tuple(found)
