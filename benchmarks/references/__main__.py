"""Records published networks for the tests: `python -m benchmarks.references --write [NAME...]`.

timm and torchvision are beside this project's torch by `pip install --no-deps timm==1.0.31 torchvision==0.28.0` and
`pip install huggingface_hub safetensors pyyaml`. `--checkouts FOLDER` holds quark0/darts, mit-han-lab/proxylessnas and
han-cai/files under their names.
"""

import argparse
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Any

from torch import nn

from benchmarks.references import own, published
from nasir.files import write_atomically
from tests.references import told

RECORDED = Path(__file__).parents[2] / "tests" / "emission" / "references.json"


@dataclass(frozen=True)
class Reference:
    """A published network: how it is built, where from, its published number of parameters, and the zoo's program."""

    source: str
    make: Callable[[], nn.Module]
    parameters: int
    program: str
    shape: tuple[int, ...] = (3, 224, 224)
    settings: dict[str, Any] = field(default_factory=dict)

    def record(self) -> dict[str, Any]:
        """What the tests compare with.

        Raises:
            ValueError: where the network is not the published one.
        """
        found = told(self.make(), self.shape)
        if found["parameters"] != self.parameters:
            raise ValueError(f"{self.source}: {found['parameters']:,} parameters, and not {self.parameters:,}")
        return {
            "source": self.source,
            "program": self.program,
            "with": self.settings,
            "input": list(self.shape),
            **found,
        }


def _timm(name: str, parameters: int, program: str, **settings: Any) -> Reference:
    return Reference(f"timm 1.0.31 {name}", partial(published.timm, name), parameters, program, settings=settings)


def _torchvision(name: str, parameters: int, program: str, made: dict[str, Any] = {}, **settings: Any) -> Reference:  # noqa: B006
    make = partial(published.torchvision, name, **made)
    return Reference(f"torchvision 0.28.0 {name}", make, parameters, program, settings=settings)


def references(folder: Path) -> dict[str, Reference]:
    """Every reference by its name."""
    checkouts = published.Checkouts(folder)
    darts = "quark0/darts f276dd3, DARTS_V2 of cnn/genotypes.py"
    cifar10 = partial(checkouts.darts, "NetworkCIFAR", 36, 10, 20)
    imagenet = partial(checkouts.darts, "NetworkImageNet", 48, 1000, 14)
    tiny = "benchmarks/references/own.py, from mlcommons/tiny 1afd2c9 benchmark/training"
    proxyless = "mit-han-lab/proxylessnas bf58b5c with han-cai/files a7c9bcd proxyless_mobile.config"
    plain = {"aux_logits": False, "init_weights": False, "transform_input": False}
    return {
        "mobilenetv2": _timm("mobilenetv2_100", 3_504_872, "mobilenetv2"),
        "mobilenetv2_035": _timm("mobilenetv2_035", 1_677_128, "mobilenetv2", width=0.35),
        "mobilenetv3_large": _timm("mobilenetv3_large_100", 5_483_032, "mobilenetv3_large"),
        "mobilenetv3_small": _timm("mobilenetv3_small_100", 2_542_856, "mobilenetv3_small"),
        "mnasnet_a1": _timm("semnasnet_100", 3_887_038, "mnasnet_a1"),
        "mnasnet_b1": _timm("mnasnet_100", 4_383_312, "mnasnet_b1"),
        "single_path": _timm("spnasnet_100", 4_421_616, "single_path"),
        "efficientnet_b0": _timm("efficientnet_b0", 5_288_548, "efficientnet_b0"),
        "resnet18": _timm("resnet18", 11_689_512, "resnet18"),
        "resnet50": _timm("resnet50", 25_557_032, "resnet50"),
        "densenet121": _timm("densenet121", 7_978_856, "densenet121"),
        "densenet169": _timm("densenet169", 14_149_480, "densenet169"),
        "vgg11_bn": _timm("vgg11_bn", 132_868_840, "vgg11_bn"),
        "convnext_tiny": _timm("convnext_tiny", 28_589_128, "convnext_tiny"),
        "squeezenet1_1": _torchvision("squeezenet1_1", 1_235_496, "squeezenet1_1"),
        "googlenet": _torchvision("googlenet", 6_624_904, "googlenet", plain),
        "shufflenetv2_x0_5": _torchvision("shufflenet_v2_x0_5", 1_366_792, "shufflenetv2"),
        "shufflenetv2_x1_5": _torchvision("shufflenet_v2_x1_5", 3_503_624, "shufflenetv2", width=176),
        "fpn": Reference("torchvision 0.28.0 resnet50 with FeaturePyramidNetwork", published.fpn, 26_852_416, "fpn"),
        "proxyless_mobile": Reference(
            proxyless, partial(checkouts.proxyless, "proxyless_mobile"), 4_080_512, "proxyless_mobile"
        ),
        "darts_cifar10": Reference(darts, cifar10, 3_349_342, "darts_cifar10", (3, 32, 32)),
        "darts_imagenet": Reference(darts, imagenet, 4_718_752, "darts_imagenet"),
        "ds_cnn": Reference(f"{tiny}/keyword_spotting", own.ds_cnn, 23_756, "ds_cnn", (1, 49, 10)),
        "resnet8": Reference(f"{tiny}/image_classification", own.resnet8, 78_186, "resnet8", (3, 32, 32)),
        "mobilenetv1": Reference(f"{tiny}/visual_wake_words", own.mobilenet_v1, 216_322, "mobilenetv1", (3, 96, 96)),
        "autoencoder": Reference(f"{tiny}/anomaly_detection", own.autoencoder, 267_928, "autoencoder", (640,)),
        "tc_resnet8": Reference(
            "benchmarks/references/own.py, from hyperconnect/TC-ResNet 8ccbff3 audio_nets/tc_resnet.py",
            own.tc_resnet8,
            65_168,
            "tc_resnet8",
            (40, 98),
        ),
        "tabular_mlp": Reference("benchmarks/references/own.py", own.tabular_mlp, 206_727, "tabular_mlp", (54,)),
        "unet": Reference(
            "benchmarks/references/own.py, from Ronneberger et al. 2015", own.UNet, 31_037_698, "unet", (3, 128, 128)
        ),
    }


def written(recorded: dict[str, dict[str, Any]]) -> bytes:
    """The file's text: a line for each reference."""
    lines = ",\n".join(f"{json.dumps(name)}: {json.dumps(recorded[name])}" for name in sorted(recorded))
    return f"{{\n{lines}\n}}\n".encode()


def main() -> None:
    """Builds the references, and records them."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.references", description=__doc__)
    parser.add_argument("names", nargs="*", metavar="NAME", help="the references; all where none is named")
    parser.add_argument("--write", action="store_true", help=f"record them in {RECORDED.name}")
    parser.add_argument("--checkouts", type=Path, default=Path(), help="the folder of the checked-out repositories")
    options = parser.parse_args()
    every = references(options.checkouts)
    recorded = json.loads(RECORDED.read_text(encoding="utf-8")) if RECORDED.exists() else {}
    for name in options.names or every:
        recorded[name] = found = every[name].record()
        print(f"{name}: {found['parameters']:,} parameters, {found['macs']:,} multiply-adds", flush=True)
        if options.write:
            write_atomically(RECORDED, written(recorded))


if __name__ == "__main__":
    main()
