"""Resolution subsampling (section 3.2, Fig. 2, 4 and 5): one supernet, every size of its input."""

import math
from collections.abc import Sequence
from typing import cast

import torch
from torch import Tensor, nn

from nasir.supernets.layers import recomputed


class Grid:
    """A map's sizes, (height, width) by the image's size, and where the pixels of the smaller maps are in the largest.
    A sequence has one size.

    Pixel i of r is pixel i * R // r of R: integers throughout, so that scattering and gathering again is the identity.
    """

    def __init__(self, sizes: Sequence[tuple[int, ...]]) -> None:
        self.sizes = tuple(sizes)
        self.largest = max(sizes)

    def gather(self, x: Tensor, option: int) -> Tensor:
        """The small map of an option, out of a whole one: [N, C, H, W] to [N, C, h, w].

        Raises:
            ValueError: where the map is not a whole one.
        """
        if tuple(x.shape[2:]) != self.largest:
            wanted = " x ".join(map(str, self.largest))
            raise ValueError(f"the supernet takes maps of {wanted} here, and this one has {list(x.shape[2:])}")
        if self.sizes[option] == self.largest:
            return x
        return _map(_pixels(x).index_select(1, self.positions(option, x.device)), self.sizes[option])

    def scatter(self, x: Tensor, option: int) -> Tensor:
        """The whole map that has an option's small map at the pixels it came from, and zeros elsewhere."""
        if self.sizes[option] == self.largest:
            return x
        whole = x.new_zeros(x.shape[0], math.prod(self.largest), x.shape[1])
        return _map(whole.index_add(1, self.positions(option, x.device), _pixels(x)), self.largest)

    def positions(self, option: int, device: torch.device | None = None) -> Tensor:
        """The pixels of a whole map, row by row, that an option keeps, [h * w]."""
        found = torch.zeros(1, dtype=torch.long, device=device)
        for small, large in zip(self.sizes[option], self.largest, strict=True):
            kept = (torch.arange(small, device=device) * large) // small
            found = (found[:, None] * large + kept).flatten()
        return found


def subsampled(images: Tensor, size: int) -> Tensor:
    """Images as the supernet sees them at a smaller size of its input: [N, C, R, R] to [N, C, size, size].

    Nearest pixels, i * R // size. A network that is trained from scratch gets images resized properly instead.
    """
    whole = tuple(images.shape[2:])
    if not 0 < size <= min(whole):
        raise ValueError(f"{size} is no size between 1 and {min(whole)}")
    return Grid([(size,) * len(whole), whole]).gather(images, 0)


def _pixels(x: Tensor) -> Tensor:
    """[N, C, H, W] to [N, H * W, C]: a view in channels-last layout, where a pixel's channels are neighbours."""
    return x.movedim(1, -1).flatten(1, -2)


def _map(pixels: Tensor, size: tuple[int, ...]) -> Tensor:
    """[N, H * W, C] to [N, C, H, W]."""
    return pixels.reshape(pixels.shape[0], *size, pixels.shape[2]).movedim(-1, 1)


class Running(nn.Module):
    """Which sizes of the image a step runs: all in training; where the gates are one-hot, the one they pick."""

    def __init__(self, sampled: bool) -> None:
        super().__init__()
        self.sampled = sampled

    def forward(self, gates: Tensor, choices: object) -> tuple[int, ...]:
        """Numbers of options, from the gates of the sizes, [options]."""
        if self.training and choices is None and not self.sampled:
            return tuple(range(len(gates)))
        return tuple(cast("list[int]", gates.nonzero().flatten().tolist()))


class Subsampled(nn.Module):
    """A part of the network at each resolution: the sum over r of g_r * scatter_r(region(gather_r(maps))).

    Batch norms, squeezes and poolings see the small map alone; vectors are summed. Each option is computed again for
    backward, from the gathering to the scattering, so that what is kept is the whole maps that come in, whatever the
    number of options.
    """

    def __init__(self, region: nn.Module, inputs: Sequence[Grid | None], outputs: Sequence[Grid | None]) -> None:
        super().__init__()
        self.region = region
        self._inputs = tuple(inputs)
        self._outputs = tuple(outputs)

    def forward(self, options: Sequence[int], gates: Tensor, *arguments: Tensor) -> Tensor | tuple[Tensor, ...]:
        """The part's maps at the largest size. `gates` are those of the sizes; `options` those of them that run."""
        at = recomputed(self._at) if len(options) > 1 else self._at
        totals = at(options[0], gates, *arguments)
        for option in options[1:]:
            totals = tuple(a + b for a, b in zip(totals, at(option, gates, *arguments), strict=True))
        found = list(totals)
        return totals if len(found) > 1 else found[0]

    def _at(self, option: int, gates: Tensor, *arguments: Tensor) -> tuple[Tensor, ...]:
        small = [x if grid is None else grid.gather(x, option) for x, grid in zip(arguments, self._inputs, strict=True)]
        found: Tensor | tuple[Tensor, ...] = self.region(*small)
        maps = found if isinstance(found, tuple) else (found,)
        gated = [x * gates[option].to(x.dtype) for x in maps]
        return tuple(
            x if grid is None else grid.scatter(x, option) for x, grid in zip(gated, self._outputs, strict=True)
        )
