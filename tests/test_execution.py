"""Which class of a Python file is the network."""

from pathlib import Path

import pytest

from nasir.diagnostics import CompileError
from nasir.execution import network_class

HEAD = "from functools import partial\nfrom torch import nn\n"
INNER = "class Inner(nn.Module):\n    pass\n"


def net(body: str) -> str:
    lines = [
        "class Net(nn.Module):",
        "    def __init__(self, made=None):",
        "        super().__init__()",
        f"        self.a = {body}",
        "",
    ]
    return "\n".join(lines)


@pytest.mark.parametrize(
    "source",
    [
        INNER + net("Inner()"),
        net("Inner()") + INNER,
        "def make():\n    return Inner()\n" + net("make()") + INNER,
        net("KINDS['inner']()") + INNER + "KINDS = {'inner': Inner}\n",
        net("[kind() for kind in KINDS]") + INNER + "KINDS = [Inner]\n",
        net("(lambda: Inner())()") + INNER,
        INNER + net("1").replace("made=None", "made=Inner"),
        INNER + net("1").replace("nn.Module", "Inner"),
        net("Middle()") + "class Middle(nn.Module):\n    def forward(self, x):\n        return Inner()(x)\n" + INNER,
        net("Net.__name__ and Inner()") + INNER,
    ],
)
def test_the_network_of_a_file_is_the_class_that_no_other_uses_wherever_it_stands(source):
    assert network_class(Path("net.py"), HEAD + source).__name__ == "Net"


def test_several_networks_are_told_and_none_is_taken():
    source = HEAD + INNER + net("1") + "class Third(Inner):\n    pass\n"
    with pytest.raises(CompileError, match=r"E0708: `net.py` defines several networks: `Net` and `Third`"):
        network_class(Path("net.py"), source)


@pytest.mark.parametrize(
    ("source", "told"),
    [
        ("x = (\n", r"SyntaxError: '\(' was never closed \(net.py, line 1\)"),
        ("\nimport beside\n", r"ModuleNotFoundError: No module named 'beside' \(net.py, line 2\)"),
        ("raise SystemExit(3)", "SystemExit: 3"),
    ],
)
def test_what_a_file_fails_with_is_told_with_its_line(source, told):
    with pytest.raises(CompileError, match=f"E0703: `net.py` cannot be run: {told}"):
        network_class(Path("net.py"), source)
