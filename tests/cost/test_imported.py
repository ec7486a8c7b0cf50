"""Tables of other projects: what a network takes by them is the sum of the entries of its layers, walked here anew."""

import json
import random
from decimal import Decimal

import pytest
from typer.testing import CliRunner

import nasir
from nasir.cli.main import app
from nasir.cost.imported.importing import read_table
from nasir.cost.profile import read_profile
from nasir.diagnostics import CompileError

ROWS = [(32, 1, 2), (32, 3, 1), (40, 1, 2), (40, 3, 1), (80, 1, 2), (80, 3, 1), (96, 1, 1), (96, 3, 1), (192, 1, 2)]
PROXYLESS = [*ROWS, (192, 3, 1), (320, 1, 1)]
FBNET = [(16, 1, 1), (24, 1, 2), (24, 3, 1), (32, 1, 2), (32, 3, 1), (64, 1, 2), (64, 3, 1), (112, 1, 1), (112, 3, 1)]
FBNET = [*FBNET, (184, 1, 2), (184, 3, 1), (352, 1, 1)]
ENDS = (
    "Conv-input:224x224x3-output:112x112x32",
    "Conv_1-input:7x7x320-output:7x7x1280",
    "Logits-input:7x7x1280-output:1000",
)


def layers_of(rows, size):
    """The places of a trunk: input width, width, stride, size of the input."""
    before = 16
    for width, depth, stride in rows:
        for i in range(depth):
            yield before, width, stride if i == 0 else 1, size
            size //= stride if i == 0 else 1
            before = width


def options_of(choices):
    """The block of each layer by its options, `k3_e6`; None of one that is left out."""
    for place in range(1000):
        option = choices.get(f"trunk.{place}.block")
        if option is None:
            return
        yield None if option == "skip" else choices.get(f"trunk.{place}:block.change", option)


def block(given, width, stride, size, kernel, expand):
    out, skip = size // stride, int(given == width and stride == 1)
    sizes = f"input:{size}x{size}x{given}-output:{out}x{out}x{width}"
    return f"expanded_conv-{sizes}-expand:{expand}-kernel:{kernel}-stride:{stride}-idskip:{skip}"


FIRST = block(32, 16, 1, 112, 3, 1)


def yaml_table():
    """A complete table for `proxylessnas`, and two layers that it has not: ms by a formula, in both styles of YAML."""
    names = {*ENDS, FIRST, "expanded_conv-of-another-space:1", block(16, 24, 2, 112, 3, 6)}
    names |= {block(*one, k, e) for one in layers_of(PROXYLESS, 112) for k in (3, 5, 7) for e in (3, 6)}
    draw = random.Random(0)
    table = {name: Decimal(draw.randrange(10_000, 9_999_999)) / 10**6 for name in sorted(names)}
    lines = ["# measured by a formula", "---"]
    for i, (name, ms) in enumerate(table.items()):
        flow = f"{name}: {{count: {i},\n  mean: {ms}}}"  # as PyYAML breaks a long line
        lines.append(flow if i % 2 else f"'{name}':\n  count: {i}\n\n  mean: {ms}")
    return table, "\n".join(lines) + "\n"


def operator(kind, *shapes, p50=1.0, **arguments):
    """A line of FBNet's table; the scales of the quantisation are as good as none."""
    found = [f'name: "{name}"\ni: {value}\n' for name, value in sorted(arguments.items())]
    record = {"op_type": kind, "op_args": [*found, 'name: "order"\ns: "NHWC"\n'], "input_shapes": [*map(list, shapes)]}
    figures = {"runtime_us_p0": 0.0, "runtime_us_p10": p50 / 2, "runtime_us_p50": p50, "runtime_us_p90": 2 * p50}
    return {**record, "input_dtypes": [3] * len(shapes), **figures, "device": "SM-G950U-7.0-24"}


def convolution(kind, given, width, size, kernel=1, stride=1, group=1):
    shapes = (1, size, size, given), (width, kernel, kernel, given // group), (width,)
    return operator(kind, *shapes, kernel=kernel, stride=stride, pad=kernel // 2, group=group)


def operators_of(given, width, stride, size, option):
    """The operators of FBNet's block."""
    kernel, expand = int(option[1]), int(option[4])
    group, out, mid = (2 if option.endswith("g2") else 1), size // stride, given * expand
    if expand > 1:
        yield convolution("Int8ConvRelu", given, mid, size, group=group)
    yield convolution("Int8ConvRelu", mid, mid, size, kernel, stride, mid)
    yield convolution("Int8Conv", mid, width, out, group=group)
    if given == width and stride == 1:
        yield operator("Int8Sum", *[(1, out, out, width)] * 2)


def ends():
    yield convolution("Int8ConvRelu", 3, 16, 224, 3, 2)
    yield convolution("Int8ConvRelu", 352, 1984, 7)
    yield operator("Int8AveragePool", (1, 7, 7, 1984), kernel=7, stride=1)
    yield operator("Int8FC", (1, 1, 1, 1984), (1000, 1984), (1000,))


def key(record):
    return json.dumps([record["op_type"], record["op_args"], record["input_shapes"]])


def json_table():
    """A complete table for `fbnetv1`, two operators that it has not, and one measured twice."""
    every = [*ends(), operator("NCHW2NHWC", (1, 3, 224, 224)), operator("Int8Relu", (1, 9, 9, 9))]
    options = [f"k{k}_{e}" for k in (3, 5) for e in ("e1", "e1_g2", "e3", "e6")]
    for one in layers_of(FBNET, 112):
        every += [found for option in options for found in operators_of(*one, option)]
    once = {key(record): record for record in every}
    draw = random.Random(1)
    table = {name: draw.randrange(1000, 10**6) / 1000 for name in once}
    records = [{**record, "runtime_us_p50": table[name]} for name, record in once.items()]
    twice = records[0]["runtime_us_p50"]
    records[0:1] = [{**records[0], "runtime_us_p50": twice - 0.5}, {**records[0], "runtime_us_p50": twice + 0.5}]
    return table, "".join(f"{json.dumps(record)}\n" for record in records)


def latency(space, out, choices):
    costs = space.on(out).costs
    (name,) = [one for one in costs.costs if one.startswith("latency(")]
    return costs.at(choices, (name,))[name]


def ran(*arguments):
    return CliRunner().invoke(app, ["profile", *map(str, arguments)])


def said(result):
    (diagnostic,) = result.exception.diagnostics
    return diagnostic


def test_a_network_takes_the_sum_of_its_blocks_by_a_table_of_proxylessnas(tmp_path):
    table, text = yaml_table()
    (tmp_path / "mobile.yaml").write_text(text)
    out = tmp_path / "device.json"
    result = ran("proxylessnas", "--import", tmp_path / "mobile.yaml", "-o", out)
    assert result.exit_code == 0, result.output
    assert "2 of the table's" in result.output  # nothing is dropped in silence
    profile = read_profile(out)
    assert ("conv", "bn", "relu6", "dwconv", "bn", "relu6", "conv", "bn", "add") in profile.fuse
    assert profile.unit == "us"
    space = nasir.load("proxylessnas")
    places = [*layers_of(PROXYLESS, 112)]
    for seed in range(5):
        choices = space.sample(seed)
        summed = sum((table[name] for name in (*ENDS, FIRST)), Decimal(0))
        for place, option in zip(places, options_of(choices), strict=True):
            summed += table[block(*place, int(option[1]), int(option[4]))] if option else 0
        assert latency(space, out, choices) == summed * 10**6  # ns


def test_a_network_takes_the_sum_of_its_operators_by_a_table_of_fbnet(tmp_path):
    table, text = json_table()
    (tmp_path / "s8.json").write_text(text)
    out = tmp_path / "device.json"
    result = ran("fbnetv1", "--import", tmp_path / "s8.json", "-o", out, "--json")
    assert result.exit_code == 0, result.output
    told = json.loads(result.output)
    assert (told["format"], told["unused"], told["filled"]) == ("FBNet", 2, 0)
    assert read_profile(out).conditions["device"] == "SM-G950U-7.0-24"
    space = nasir.load("fbnetv1")
    places = [*layers_of(FBNET, 112)]
    for seed in range(5):
        choices = space.sample(seed)
        found = [*ends()]
        for place, option in zip(places, options_of(choices), strict=True):
            found += operators_of(*place, option) if option else []
        assert latency(space, out, choices) == sum(round(1000 * table[key(one)]) for one in found)


def test_a_convolution_that_was_measured_with_relu_alone_tells_both(tmp_path):
    _, text = json_table()
    path, out = tmp_path / "s8.json", tmp_path / "device.json"
    path.write_text(text.replace('"Int8Conv"', '"Int8ConvRelu"'))
    told = json.loads(ran("fbnetv1", "--import", path, "-o", out, "--json").output)
    filled = [kernel for kernel, row in read_profile(out).rows.items() if row.filled]
    assert len(filled) == told["filled"] > 0
    assert not any("relu" in kernel for kernel in filled)


def test_what_a_table_lacks_is_one_diagnostic_with_its_number(tmp_path):
    path, out = tmp_path / "mobile.yaml", tmp_path / "device.json"
    _, text = yaml_table()
    path.write_text(text.replace("expand:6-kernel:7", "expand:6-kernel:9"))
    lacking = said(ran("proxylessnas", "--import", path, "-o", out))
    assert lacking.code == "E0997"
    assert (
        "lacks 11 of the 69 kernels that a network of `proxylessnas` can have: 16x112x112 -> conv(" in lacking.message
    )
    assert lacking.hints[0] == f"such a layer is missing: `{block(16, 32, 2, 112, 7, 6)}`"
    assert not out.exists()
    other = said(ran("digits", "--import", path, "-o", out))
    assert "tables of ProxylessNAS have no layer that is" in " ".join(other.hints)


def test_a_file_that_is_there_is_added_to_where_it_is_of_the_same_device(tmp_path):
    path, out = tmp_path / "mobile.yaml", tmp_path / "device.json"
    path.write_text(yaml_table()[1])
    assert ran("proxylessnas", "--import", path, "-o", out, "--name", "pixel").exit_code == 0
    before = out.read_bytes()
    assert ran("proxylessnas", "--import", path, "-o", out, "--name", "pixel").exit_code == 0
    assert out.read_bytes() == before
    assert said(ran("proxylessnas", "--import", path, "-o", out, "--name", "note")).code == "E0993"
    assert said(ran("proxylessnas", "-o", out)).code == "E0993"  # no kernel of this machine comes in
    assert ran("proxylessnas", "--import", path, "--collect", tmp_path, "-o", out).exit_code == 2


LINE = json.dumps(convolution("Int8Conv", 8, 8, 4))
LAYER = "Conv-input:4x4x3-output:2x2x8:"


@pytest.mark.parametrize(
    ("text", "place", "words"),
    [
        (f"{LAYER}\n  mean: 1.0\nand so on\n", (3, 1), "a layer and its figures"),
        (f"{LAYER}\n  mean: 1.0\n{LAYER}\n  mean: 1.0\n", (3, 1), "in it twice"),
        (f"{LAYER}\n  count: 3\n", (1, 1), "no `mean`"),
        (f"{LAYER} {{count: 3, mean: fast}}\n", (1, 43), "`fast` is no number"),
        (f"{LAYER}\n  mean: .inf\n", (2, 3), "no number"),
        (f"{LAYER}\n  mean: -1\n", (2, 3), "no number from 0"),
        (f"{LAYER}\n  mean: 1.0\n  - 2.0\n", (3, 3), "`name: value`"),
        (f"{LAYER}\n  mean: 1.0\n  mean: 2.0\n", (3, 3), "`name: value`"),
        (f"{LAYER}", (1, 1), "a layer and its figures"),
        (f"{LINE}\n{LINE[:-9]}\n", (2, 1), "not JSON"),
        (f"{LINE}\n[]\n{{}}\n", (2, 1), "no object"),
        ("{}\n", (1, 1), "`op_type`"),
        (LINE.replace("runtime_us_p50", "runtime"), (1, 1), "no `runtime_us_p50`"),
        (LINE.replace('"runtime_us_p50": 1.0', '"runtime_us_p50": NaN'), (1, 1), "no number from 0"),
        (LINE.replace("[8]]", "[-8]]"), (1, 1), "no whole numbers"),
        (LINE.replace("[8]]", "8]"), (1, 1), "no list"),
        (LINE.replace("kernel", "ker nel"), (1, 1), "`op_args`"),
    ],
)
def test_a_damaged_table_has_its_place(tmp_path, text, place, words):
    path = tmp_path / "table"
    path.write_text(text)
    with pytest.raises(CompileError) as caught:
        read_table(path)
    (diagnostic,) = caught.value.diagnostics
    assert (diagnostic.code, diagnostic.span.line, diagnostic.span.column) == ("E0998", *place)
    assert words in diagnostic.message


def test_a_table_is_of_one_device(tmp_path):
    path = tmp_path / "table"
    for other, words in ((LINE.replace("SM-G950U", "iPhone"), "device"), (LINE.replace("Int8", ""), "dtype")):
        path.write_text(f"{LINE}\n{other}\n")
        with pytest.raises(CompileError, match=rf"table:2:1: E0999: the {words} is"):
            read_table(path)


@pytest.mark.parametrize("cut", [(), ("input_shapes",), ("op_args",)])
def test_operators_of_any_form_are_read_or_left_out(cut, tmp_path):
    """Shapes and arguments that are no operator's are of no kernel, and no fault."""
    kinds = ("Conv", "ConvRelu", "Sum", "Add", "AveragePool", "FC", "ChannelShuffle", "Relu", "Int8Conv")
    records = [operator(kind, *[(1, 4, 4, 4)] * n, group=0, stride=0) for kind in kinds for n in range(3)]
    path = tmp_path / "table"
    for record in records:
        path.write_text(json.dumps({**record, **{name: [] for name in cut}}))
        assert len(read_table(path).rows) <= 1
