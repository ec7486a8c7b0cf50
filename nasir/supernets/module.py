"""The supernet as an nn.Module that a user's own training loop can drive."""

from collections.abc import Iterable, Iterator, Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any, NamedTuple, cast

import torch
from torch import Tensor, fx, nn

from nasir.ir.choices import check_choices
from nasir.ir.graph import Choices, Graph
from nasir.ir.values import Scalar
from nasir.supernets.gates import Gates
from nasir.supernets.layers import SearchBatchNorm
from nasir.supernets.sizes import Sizes
from nasir.supernets.slicing import Slice, Slices
from nasir.supernets.written import Written, plain


class SupernetOutput(NamedTuple):
    """`logits`: [N, classes]. `cost`: for each convention (`macs`, `params`) the effective cost, a float64 scalar that
    carries gradient to the architecture's logits and is the exact integer at one-hot gates."""

    logits: Tensor
    cost: dict[str, Tensor]


class Supernet(Written):
    """`supernet(images, choices=None, noise=None)` -> SupernetOutput.

    In training each call draws one Gumbel sample (Eq. 4) with `noise`, or fresh noise; in evaluation it takes the
    argmax, one-hot; `choices` fixes the gates to one network in either mode. Nothing else distinguishes it from an
    ordinary module: `print(supernet.code)` shows the forward pass.
    """

    def __init__(self, root: nn.Module, graph: fx.Graph, space: Graph, modules: Mapping[str, str]) -> None:
        super().__init__(root, graph, "Supernet")
        self.space = space
        self.modules_by_node = dict(modules)

    if TYPE_CHECKING:

        def __call__(
            self, images: Tensor, choices: Choices | None = None, noise: Tensor | None = None
        ) -> SupernetOutput: ...

    def __repr__(self) -> str:
        weights = sum(parameter.numel() for parameter in self.weights())
        return f"Supernet({self.space.name}: {len(self.space.decisions)} decisions, {weights:,} weights)"

    def _rest(self) -> tuple[Any, ...]:
        return plain(self.graph), self.space, self.modules_by_node

    @property
    def _gates(self) -> Gates:
        return cast(Gates, self.get_submodule("gates"))

    @property
    def temperature(self) -> Tensor:
        """tau of Eq. 4, a 0-d buffer: `supernet.temperature.fill_(5.0)`."""
        return self._gates.temperature

    def weights(self) -> Iterator[nn.Parameter]:
        """The network's weights: everything but the architecture's logits."""
        return (parameter for name, parameter in self.named_parameters() if name != "gates.logits")

    def architecture(self) -> Iterator[nn.Parameter]:
        """The architecture's logits alpha."""
        return iter((self._gates.logits,))

    def settle(self, choices: Choices) -> None:
        """Leave these decisions the option named: the gates of their others are exactly 0 from now on. All options of
        other decisions are open."""
        self._gates.settle(choices)

    def argmax(self) -> dict[str, Scalar]:
        """Each decision's likeliest option."""
        return self._gates.argmax()

    def probabilities(self) -> Mapping[str, dict[Scalar, float]]:
        """Each decision's distribution, softmax(alpha)."""
        return self._gates.by_decision()

    def entropy(self) -> float:
        """Mean entropy of the decisions over the uniform one's: 1 undecided, 0 decided."""
        return self._gates.entropy()

    def cost(self, choices: Choices | None = None) -> dict[str, Tensor]:
        """The effective costs of the network of `choices`, or at softmax(alpha); no images needed."""
        sizes = cast(Sizes, self.get_submodule("sizes"))
        gates = self._gates.probabilities() if choices is None else self._gates.one_hot(choices)
        return sizes(gates).costs

    def gate_count(self) -> int:
        """The number of options of all decisions: the length of `noise`."""
        return self._gates.total

    def state_for(self, choices: Choices) -> dict[str, Tensor]:
        """The weights of one network, sliced out and named as the module emitted for these choices names them.

        Raises:
            CompileError: where a name is no decision, a value no option, or a decision is left open.
        """
        return {one.name: one.taken() for one in self.slices_for(choices)}

    def slices_for(self, choices: Choices, network: Graph | None = None) -> list[Slice]:
        """The tensors of one network in the supernet's, in the order of the emitted module's and by its names;
        `network` is its graph, where that is there.

        Raises:
            CompileError: as `state_for` does.
        """
        chosen = check_choices(self.space.decisions, choices)
        return list(self._slices.of(chosen, self, self.modules_by_node, network))

    @cached_property
    def _slices(self) -> Slices:
        return Slices(self.space)

    def synchronise_batch_norms(self, synchronised: bool) -> None:
        """Whether training takes batch statistics over all processes of torch.distributed (SyncBN) or over each
        one's own images."""
        for module in self.modules():
            if isinstance(module, SearchBatchNorm):
                module.synchronised = synchronised

    def reestimate_batch_norms(self, choices: Choices, batches: Iterable[Tensor]) -> None:
        """Write the running statistics of the network of `choices` from batches of images.

        They are averages over the batches. Needed before that network is evaluated with the supernet's weights: the
        search itself uses batch statistics only.
        """
        norms = [module for module in self.modules() if isinstance(module, SearchBatchNorm)]
        training = self.training
        self.eval()
        for norm in norms:
            norm.reset_running_stats()
            norm.estimating = True
        try:
            with torch.no_grad():
                for images in batches:
                    self(images, choices=choices)
        finally:
            for norm in norms:
                norm.estimating = False
            self.train(training)
