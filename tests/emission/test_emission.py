"""The emitted file: what it needs, how it reads, what it shares."""

import ast
import os
import re
import subprocess
import sys
import warnings
from pathlib import Path

import pytest
import torch

import nasir
from nasir.emission.classes import classes_of
from nasir.execution import proved
from nasir.ir.naming import RESERVED
from tests.conftest import CASES, all_spaces, each_space, load_small, seeds, tensors_of

BIN = Path(sys.executable).parent


@pytest.fixture(scope="module")
def sources(tmp_path_factory):
    """Emitted files of every space, a few each."""
    folder = tmp_path_factory.mktemp("emitted")
    for path in all_spaces():
        space = load_small(path)
        for seed in seeds(space)[:2]:
            name = f"{path.stem}_{seed}.py"
            (folder / name).write_text(nasir.emit(space.at(space.sample(seed))), encoding="utf-8")
    return folder


def input_shape(source: str) -> str:
    """The shape of an emitted network's input, as its docstring tells it; large images are small ones."""
    (shape,) = re.findall(r"(?:images|sequences|vectors) of shape \[N, ([\d, ]+)\]", source)
    channels, *sizes = shape.split(", ")
    return ",".join([channels, *(str(min(int(size), 64)) for size in sizes)])


def test_runs_with_torch_and_without_nasir(sources):
    script = (
        "import sys, runpy, torch\n"
        "sys.modules['nasir'] = None\n"
        "for argument in sys.argv[1:]:\n"
        "    path, size = argument.split(':')\n"
        "    names = runpy.run_path(path)\n"
        "    network = [v for v in names.values() if isinstance(v, type) and v.__module__ == '<run_path>'][-1]\n"
        "    output = network().eval()(torch.zeros(2, *map(int, size.split(','))))\n"
        "    outputs = output.values() if isinstance(output, dict) else [output]\n"
        "    assert all(one.shape[0] == 2 for one in outputs)\n"
        "assert not [m for m in sys.modules if m.startswith('nasir.')]\n"
    )
    files = [f"{path}:{input_shape(path.read_text())}" for path in sorted(sources.glob("*.py"))]
    subprocess.run([sys.executable, "-I", "-c", script, *files], check=True, cwd=sources)


@pytest.mark.parametrize(
    "command",
    [
        ["ruff", "check", "--isolated", "--select", "E4,E7,E9,F,W,I,UP,B,SIM,PIE,RET"],
        ["ruff", "format", "--isolated", "--check"],
        ["pyright", "--pythonpath", sys.executable],
    ],
    ids=["ruff-check", "ruff-format", "pyright"],
)
def test_passes_the_tools(sources, command):
    done = subprocess.run(
        [str(BIN / command[0]), *command[1:], "."], cwd=sources, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout + done.stderr


@each_space
def test_imports_torch_alone_and_holds_no_trace_of_the_search(path):
    space = load_small(path)
    source = nasir.emit(space.at(space.sample(3)))
    modules = {n.name for node in ast.walk(ast.parse(source)) if isinstance(node, ast.Import) for n in node.names}
    modules |= {node.module for node in ast.walk(ast.parse(source)) if isinstance(node, ast.ImportFrom)}
    assert {name.partition(".")[0] for name in modules} == {"torch"}
    assert not re.search(
        r"mask|gumbel|logits?\b(?!\.)|alpha|choice|decision|nasir|supernet", source.replace("to logits", "")
    )


def test_blocks_that_differ_in_numbers_or_activation_only_share_a_class(compiled):
    space = compiled(
        """
        from "lib/mobile.nas" import ir
        space shared(classes = 3) {
          x     = image(3, size=8)
          trunk = x -> stages {
            | block | kernel | act    | expand | width | depth | stride |
            | ir    | 3      | relu   | 2      | 8     | 1     | 1      |
            | ir    | 5      | hswish | 3      | 16    | 1     | 2      |
            | ir    | 3      | relu   | 4      | 24    | 1     | 2      |
          }
          return trunk -> global_avg_pool -> linear(classes)
        }
        """
    )
    names = [node.name for node in ast.parse(nasir.emit(space)).body if isinstance(node, ast.ClassDef)]
    assert names == ["IR", "Shared"]


ZOO = sorted((Path(nasir.__file__).parents[1] / "spaces" / "zoo").glob("*.nas"))


# Blocks whose uses differ in more: paddings that are uneven in several ways, cells that read maps of two sizes,
# dilations, operations of several kinds handed to one block.
APART = {"darts_cifar10", "darts_imagenet"}
APART |= {"darts", "keywords", "mnasnet", "natsbench", "sensors"}


@each_space
def test_a_block_of_the_program_is_one_class(path):
    """Guards, numbers and activations tell its uses apart; only uses with children of other kinds are classes apart."""
    space = load_small(path)
    for seed in seeds(space)[:3]:
        blocks = [one.block for one in classes_of(space.at(space.sample(seed)).graph)]
        assert len(set(blocks)) == len(blocks) or "cases" in path.parts or path.stem in APART


def test_the_longest_released_network_reads_on_a_screen_and_a_half():
    source = nasir.emit(nasir.load("zoo/fbnetv2_f1"))
    assert source.count("\n") <= 136
    assert source.index("class SqueezeExcite") < source.index("class IR(") < source.index("class SkipConv")
    assert "self.has_shortcut = stride == 1 and width == in_channels" in source
    assert "self.has_expansion = mid != in_channels" in source
    assert (
        "IR(24,  32,  kernel=5, stride=2, act=nn.ReLU, mid=128, squeeze=32),  # 32 x 16 x 16      5,021,696" in source
    )


def test_a_shortcut_is_told_by_what_allows_it_and_not_by_a_flag_that_agrees_by_chance(compiled):
    """The only block with a gate is the one that adds its input."""
    space = compiled(
        """
        block ir(width, se = false, stride = 1) {
          depthwise = x -> dwconv(3, stride=stride) -> bn -> relu
          gated     = depthwise -> conv(1, x.channels) when se
          project   = gated -> conv(1, width) -> bn
          return shortcut(x, project)
        }

        space gated(classes = 2) {
          x     = image(16, size=8)
          trunk = x -> ir(16, se=true) -> ir(16, stride=2) -> ir(24)
          return trunk -> global_avg_pool -> linear(classes)
        }
        """
    )
    source = nasir.emit(space)
    assert "self.has_shortcut = stride == 1 and width == in_channels" in source
    assert "        if se:\n" in source


@pytest.mark.parametrize("path", ZOO, ids=lambda p: p.stem)
def test_torch_compiles_it_to_a_script(path, emitted):
    space = load_small(path)
    network = emitted(space).eval()
    channels, *sizes = space.graph.input.shape.values()
    images = torch.zeros(1, channels, *(min(size, 64) for size in sizes))
    with warnings.catch_warnings(), torch.no_grad(), torch.jit.optimized_execution(False):
        warnings.simplefilter("ignore", DeprecationWarning)
        for ours, theirs in zip(
            tensors_of(torch.jit.script(network)(images)), tensors_of(network(images)), strict=True
        ):
            assert torch.equal(ours, theirs)


def test_factors_of_an_upsampling_are_taken_by_a_script(compiled, emitted):
    """A number of a call, two, and a parameter of a block."""
    space = compiled(
        """
        block u(factor) { return x -> conv(1, 4) -> upsample(factor=factor) }
        space s() {
          x = image(3, size=4)
          return x -> u(factor=2) -> u(factor=3) -> upsample -> upsample(factor=2x1) -> global_avg_pool -> linear(2)
        }
        """
    )
    network, images = emitted(space).eval(), torch.randn(2, 3, 4, 4)
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore", DeprecationWarning)
        assert torch.equal(torch.jit.script(network)(images), network(images))


def test_parameters_of_the_space_are_parameters_of_the_module(emitted):
    space = nasir.load("digits")
    network = emitted(space.at(space.sample(4)))
    assert type(network)(classes=7)(torch.zeros(2, 1, 8, 8)).shape == (2, 7)


def test_doc_comments_reach_the_source_and_cannot_end_it(compiled):
    space = compiled(
        """
        ## A network. \\N{BULLET} \\x41 \"\"\" print(1)
        space documented(classes = 3) {
          x = image(3, size=8)
          return x -> twice -> global_avg_pool -> linear(classes)
        }
        ## Convolves "twice\\" and
        ## says so.
        block twice() { return x -> conv(3, 4) -> bn }
        """
    )
    source = nasir.emit(space)
    module = ast.parse(source)
    (block,) = (one for one in module.body if getattr(one, "name", "") == "Twice")
    assert ast.get_docstring(block) == "Convolves 'twice/' and says so."
    assert "A network. /N{BULLET} /x41 ''' print(1)" in (ast.get_docstring(module) or "")
    assert "## Convolves" in space.at({}).source.text


def test_a_layer_that_reads_two_outputs_calls_the_last_one_x():
    source = nasir.emit(nasir.load("zoo/darts_imagenet"))
    assert source.count("    def forward(self, x: Tensor, previous: Tensor) -> Tensor:") == 3
    assert "cells = self.cells[0](stem1, stem0)" in source
    assert "cells_2 = self.cells[1](cells, stem1)" in source
    assert "cells = self.cells[2](cells_2, cells)" in source


def test_uneven_padding_at_one_stride_is_a_condition_of_the_class():
    source = nasir.emit(nasir.load("zoo/mobilenetv1"))
    assert source.count("class Separable") == 1
    assert "        self.has_pad = stride > 1\n" in source
    assert "            padding=0 if self.has_pad else 1,\n" in source
    assert "        padded = F.pad(x, (0, 1, 0, 1)) if self.has_pad else x\n" in source
    assert "Separable(16,  32,  stride=2), " in source


def test_a_class_of_one_instance_has_the_number_that_is_its_input_s_once(compiled):
    space = compiled(
        """
        from "lib/mobile.nas" import squeeze_excite
        space once(classes = 3) {
          x = image(3, size=8)
          return x -> conv(3, 24) -> squeeze_excite() -> global_avg_pool -> linear(classes)
        }
        """
    )
    (block,) = (one for one in ast.parse(nasir.emit(space)).body if getattr(one, "name", "") == "SqueezeExcite")
    assert "nn.Conv2d(squeeze, in_channels, 1)" in ast.unparse(block)
    assert "24" not in ast.unparse(block)


GOLDEN = {"digits_sample_4": "digits", **{name: f"zoo/{name}" for name in ("resnet50", "densenet169", "convnext_tiny")}}


@pytest.mark.parametrize("name", GOLDEN)
def test_reads_as_the_golden_file(name):
    """About as long as a person's file: ResNet-50 has 66 lines, DenseNet-169 144, one a layer."""
    space = nasir.load(GOLDEN[name])
    source = nasir.emit(space.at(space.sample(4)))
    golden = CASES / "emitted" / f"{name}.py"
    if os.environ.get("NASIR_UPDATE"):
        golden.write_text(source, encoding="utf-8")
    assert source == golden.read_text(encoding="utf-8")


def test_names_that_python_or_torch_holds_are_moved_aside(compiled, emitted):
    space = compiled(
        """
        space nn(classes = 3) {
          x       = image(3, size=8)
          forward = x -> conv(3, 4) -> bn
          eval    = forward -> conv(3, 4)
          lambda  = eval -> conv(3, 4) -> bn -> relu
          self    = lambda -> conv(3, 4)
          F       = self -> conv(3, 4) -> relu
          return F -> global_avg_pool -> linear(classes)
        }
        """
    )
    module = emitted(space)
    module.load_state_dict(nasir.supernet(space).state_for({}))
    assert module(torch.zeros(2, 3, 8, 8)).shape == (2, 3)


def test_the_reserved_names_cover_torch_s_module():
    kinds = (torch.nn.Module, torch.fx.GraphModule)  # torch.export makes a GraphModule of it, with the same attributes
    assert {name for kind in kinds for name in dir(kind) if not name.startswith("_")} <= RESERVED


def test_same_input_same_bytes():
    space = nasir.load("digits")
    choices = space.sample(0)
    assert nasir.emit(space.at(choices)) == nasir.emit(nasir.load("digits").at(choices))


@pytest.mark.parametrize("wrong", ["another", "broken"])
def test_what_is_emitted_is_run_before_it_is_a_result(compiled, monkeypatch, wrong):
    """A module that does not run, or costs other than its network, is never handed on."""
    body = "x = image(1, size=8)\n return x -> conv(3, {}) -> global_avg_pool -> linear(classes)"
    text = f"space s(classes = 3) {{{{ {body} }}}}"
    network, other = compiled(text.format(4)), nasir.emit(compiled(text.format(5)))
    assert proved(network) == nasir.emit(network)
    source = other if wrong == "another" else nasir.emit(network).replace("return self", "return nothing")
    monkeypatch.setattr("nasir.execution.emit", lambda network, notes=(): source)
    with pytest.raises(nasir.CompileError, match="E0910"):
        proved(network)
