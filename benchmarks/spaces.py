"""Programs that benchmarks measure, by their number of options."""

HEAD = """from "lib/mobile.nas" import ir

"""


def ten_layers(options: int, size: str = "64") -> str:
    """Ten inverted residuals; every width and expansion has this many options, up to the same largest network."""
    widths = {row: _steps(row, options) for row in (32, 64, 96)}
    expand = _steps(6, options)
    return (
        HEAD
        + f"""
space ten(classes = 10, sizes = {size}) {{
  x     = image(3, size=sizes)
  stem  = x -> conv(3, 16, stride=2) -> bn -> hswish
  trunk = stem -> stages {{
    | block                                        | expand | width | depth | stride |
    | ir(kernel=3, act=hswish, always_expand=true) | {expand} | {widths[32]} | 3 | 2 |
    | ir(kernel=3, act=hswish, always_expand=true) | {expand} | {widths[64]} | 3 | 2 |
    | ir(kernel=3, act=hswish, always_expand=true) | {expand} | {widths[96]} | 4 | 2 |
  }}
  return trunk -> conv(1, 128) -> bn -> hswish -> global_avg_pool -> linear(classes)
}}
"""
    )


def ref6(options: int) -> str:
    """Six layers, each one of six inverted residuals (expansion 1, 3, 6 by kernel 3, 5), and this many widths."""
    blocks = "\n".join(
        f"  k{kernel}_e{expand}: ir(kernel={kernel}, expand={expand}, act=relu, always_expand=true)"
        for expand in (1, 3, 6)
        for kernel in (3, 5)
    )
    return HEAD + f"choice mb {{\n{blocks}\n}}\n" + _six_layers(options, "mb", "")


def ref6_masked(options: int) -> str:
    """The same networks with two blocks, kernel 3 and 5, and the expansion a mask."""
    blocks = "\n".join(f"  k{k}: ir(kernel={k}, act=relu, always_expand=true)" for k in (3, 5))
    return HEAD + f"choice mb {{\n{blocks}\n}}\n" + _six_layers(options, "mb", "{1, 3, 6}")


def _six_layers(options: int, block: str, expand: str) -> str:
    column, cell = (" expand |", f" {expand} |") if expand else ("", "")
    rows = "\n".join(
        f"    | {block} | {_steps(width, options)} | 1 | {stride} |{cell}"
        for width, stride in ((32, 2), (32, 1), (64, 2), (64, 1), (96, 2), (96, 1))
    )
    return f"""
space ref6(classes = 10) {{
  x     = image(3, size=64)
  stem  = x -> conv(3, 16, stride=2) -> bn -> relu
  trunk = stem -> stages {{
    | block | width | depth | stride |{column}
{rows}
  }}
  return trunk -> conv(1, 128) -> bn -> relu -> global_avg_pool -> linear(classes)
}}
"""


def _steps(largest: int, options: int) -> str:
    """`options` equal steps up to `largest`."""
    if options == 1:
        return str(largest)
    step = largest / options
    written = str(int(step)) if step == int(step) else repr(step)
    return f"{written}..{largest} by {written}"


def fashion() -> str:
    """Six inverted residuals for 28x28 images, kernels as alternatives."""
    return (
        HEAD
        + """choice mb {
  k3: ir(kernel=3, act=hswish, always_expand=true)
  k5: ir(kernel=5, act=hswish, always_expand=true)
  skip: identity when stride == 1
}

space fashion(classes = 10) {
  x     = image(1, size=28)
  stem  = x -> conv(3, 16, stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block | expand    | width        | depth | stride |
    | mb    | 1..4 by 1 | 8..24 by 8   | 2     | 1      |
    | mb    | 1..4 by 1 | 16..48 by 8  | 1     | 2      |
    | mb    | 1..4 by 1 | 16..48 by 8  | 1     | 1      |
    | mb    | 1..4 by 1 | 32..96 by 16 | 1     | 2      |
    | mb    | 1..4 by 1 | 32..96 by 16 | 1     | 1      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
"""
    )
