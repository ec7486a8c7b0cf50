"""A kind of function is one class: what the others know of it is what it says of itself."""

from dataclasses import dataclass

from nasir.api import check
from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor
from nasir.lang.things import Context, Function, Writer

EVERYWHERE = """
choice c { a: identity  b: (identity -> conv(1, 8)) when true }
block b(f, g = identity) { return x -> f -> g -> f }
block p() { return x -> relu }
let shared = (identity -> {identity, p})
space s(classes = 2) {
  x = image(8, size=8)
  flow = (identity -> c)
  y = x -> flow -> shared -> b(f=identity) -> b(f=flow) -> (identity) when {true, false}
  z = y -> stages {
    | block    | f        | depth  |
    | identity | -        | 2      |
    | c        | -        | 1      |
    | b        | identity | 2      |
  }
  return z -> shared -> global_avg_pool -> linear(classes)
}
"""


@dataclass(frozen=True)
class Norm(Function):
    """A kind that says no more than a kind must: a batch norm."""

    @property
    def name(self) -> str:
        return "norm"

    def apply(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        return context.builder.node(naming.next(self.step), "relu", {"x": x}, {}, self.span)

    def written(self, path: str, writer: Writer) -> s.Expr:
        return s.Name(self.span, "identity")  # the name that the test below takes for it


def test_a_kind_that_says_what_it_must_works_wherever_a_function_can_stand(compiled, monkeypatch):
    monkeypatch.setattr("nasir.lang.evaluate.Identity", Norm)
    space = compiled(EVERYWHERE)
    assert sum(node.op == "relu" for node in space.graph.nodes) > 20
    for seed in range(12):
        space.arch(space.sample(seed))


def test_a_block_that_lacks_an_argument_can_be_used_again(tmp_path):
    """Each use says what is missing; none is taken for a use within the block itself."""
    path = tmp_path / "net.nas"
    path.write_text(
        "block b(w) { return x -> conv(1, w) }\n"
        "space s(classes = 2) {\n x = image(1, size=8)\n y = x -> b\n z = x -> b\n"
        " return x -> b(4) -> global_avg_pool -> linear(classes)\n}\n",
        encoding="utf-8",
    )
    found = [(d.code, d.span.line) for d in check(path) if d.span and not d.is_warning]
    assert found == [("E0302", 4), ("E0302", 5)]


def test_a_set_of_one_set_of_functions_is_that_set(compiled):
    space = compiled(
        "space s(classes = 2) {\n x = image(4, size=8)\n let act = {relu, hswish}\n"
        " return x -> {act} -> global_avg_pool -> linear(classes)\n}"
    )
    (decision,) = space.decisions
    for option in decision.options:
        space.arch({decision.name: option})
