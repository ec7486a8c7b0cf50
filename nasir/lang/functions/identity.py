"""`identity`: leaves the tensor as it is."""

from dataclasses import dataclass

from nasir.lang import syntax as s
from nasir.lang.building import Naming, Tensor
from nasir.lang.things import Context, Function, Writer


@dataclass(frozen=True)
class Identity(Function):
    """The function that does nothing."""

    @property
    def name(self) -> str:
        return "identity"

    def apply(self, x: Tensor, naming: Naming, context: Context) -> Tensor:
        self.skip(naming)  # the name of the block or the choice that it may have come from
        return x

    def written(self, path: str, writer: Writer) -> s.Expr:
        return s.Name(self.span, "identity")

    def written_as_step(self, path: str, name: str, writer: Writer) -> s.Expr:
        return self.written(path, writer)
