"""Random programs, biased to type-check: sums, products, mixtures, shortcuts, concats, guards, tables and blocks nest
freely, values are used twice, and names are those that Python, torch and generated code use themselves."""

import builtins
import keyword
import random
from dataclasses import dataclass, field

from torch import nn

from nasir.lang.evaluate import WORDS, builtin_names

ACTIVATIONS = ("relu", "hswish", "swish", "sigmoid", "gelu", "relu6", "hsigmoid")
NAMES = sorted(
    name
    for name in {
        *dir(builtins),
        *keyword.kwlist,
        *dir(nn.Module()),
        *("torch", "nn", "F", "Tensor", "operator", "self", "super", "fx", "forward", "images", "choices", "noise"),
        *("gates", "sizes", "masks", "weights", "costs", "running", "SupernetOutput", "flatten", "masked", "total"),
        *("mixture", "fit", "blend", "residual", "cat", "input", "scale", "mask", "x_1", "x_2", "act", "trunk"),
        *(
            "gate",
            "exit",
            "channels",
            "width",
            "block",
            "in_channels",
            "Conv2d",
            "Sequential",
            "inf",
            "nan",
            "NoneType",
            "device",
            "math",
            "typing",
            "getattr",
        ),
    }
    if name.isidentifier() and name not in {*WORDS, *builtin_names(), "x"}
)


@dataclass
class Value:
    """A tensor of a program: its name, its channels as an expression (constant where it is a number), its map's
    size."""

    name: str
    channels: str
    size: int

    @property
    def decided(self) -> bool:
        return self.channels.isdigit()


@dataclass
class Programs:
    """One random program; the text is a function of the seed."""

    seed: int
    draw: random.Random = field(init=False)
    taken: set[str] = field(default_factory=set)
    definitions: list[str] = field(default_factory=list)
    widths: list[str] = field(default_factory=list)

    def __post_init__(self) -> None:
        self.draw = random.Random(self.seed)

    def text(self) -> str:
        """The program."""
        for _ in range(self.draw.randrange(3)):
            name = self.name()
            self.definitions.append(f"let {name} = {self.draw.choice(['{4, 8}', '{4, 6, 8}', '2..6 by 2'])}")
            self.widths.append(name)
        for _ in range(self.draw.randrange(1, 4)):
            self.definitions.append(self.block(self.name()))
        channels, size = self.draw.choice([2, 4, 8]), self.draw.choice([6, 8])
        resolution = "{4, 8}" if self.draw.random() < 0.05 else str(size)
        image = Value(self.local(), str(channels), size)
        lines = [f"{image.name} = image({channels}, size={resolution})"]
        values, lines = self.body([image], lines, self.draw.randrange(2, 8))
        last = values[-1].name
        lines.append(f"return {last} -> global_avg_pool -> linear(classes)")
        body = "\n".join(f"  {line}" for line in lines)
        return "\n".join([*self.definitions, f"space {self.name()}(classes = 3) {{\n{body}\n}}"]) + "\n"

    # Names

    def name(self) -> str:
        while True:
            name = self.draw.choice(NAMES) if self.draw.random() < 0.4 else f"n{self.draw.randrange(1000)}"
            if name not in self.taken:
                self.taken.add(name)
                return name

    local = name

    # Bodies

    def body(self, values: list[Value], lines: list[str], count: int) -> tuple[list[Value], list[str]]:
        """`count` more statements."""
        for _ in range(count):
            value, line = self.statement(values)
            values.append(value)
            lines.append(line)
        return values, lines

    def statement(self, values: list[Value]) -> tuple[Value, str]:
        x = values[-1] if self.draw.random() < 0.6 else self.draw.choice(values)
        name = self.local()
        makers = [self.flow, self.flow, self.flow, self.sum, self.sum, self.sum, self.product, self.shortcut]
        makers += [self.concat, self.guard, self.guard, self.mixture, self.mixture, self.squeeze, self.table, self.call]
        makers += [self.normed, self.picked, self.apart, self.grown, self.subtracted, self.rows, self.cells]
        channels, size, text = self.draw.choice(makers)(x, values)
        return Value(name, channels, size), f"{name} = {text}"

    def width(self) -> str:
        return self.draw.choice(["4", "8", "8", "{4, 8}", "{2, 4, 6}", "4..8 by 2", *self.widths, *self.widths])

    def act(self) -> str:
        return self.draw.choice([*ACTIVATIONS, "{relu, hswish}"])

    def conv(self, size: int) -> tuple[str, int, str]:
        """Channels, size and text of a convolution; a batch norm and an activation may follow."""
        width, kernel = self.width(), self.draw.choice(["1", "3", "3", "{1, 3}", "{3, 5}", "1x3", "{3x1, 1x3}"])
        stride = 2 if size % 2 == 0 and size > 4 and self.draw.random() < 0.15 else 1
        text = f"conv({kernel}, {width}" + f", stride={stride}" * (stride > 1) + ", bias=true" * self.chance(0.2)
        text += self.draw.choice(["", "", "", ", padding=same", ", dilation=2"]) + ")"
        text += " -> bn" * self.chance(0.7) + f" -> {self.act()}" * self.chance(0.5)
        return width if width.isdigit() or width in self.widths else "?", -(-size // stride), text

    def chance(self, p: float) -> bool:
        return self.draw.random() < p

    # What a statement is: (channels, size, text)

    def flow(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        channels, size, text = self.conv(x.size)
        if self.chance(0.3):
            text += " -> " + self.draw.choice(["dwconv(3)", "dwconv({3, 5})", "max_pool(3)", "avg_pool(3)", "bn"])
        return channels, size, f"{x.name} -> {text}"

    def alike(self, x: Value, values: list[Value]) -> Value:
        """A value that adds to x: one whose channels are written alike, or x."""
        same = [v for v in values if (v.channels, v.size) == (x.channels, x.size) and "?" not in v.channels]
        return self.draw.choice(same or [x])

    def sum(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        if self.chance(0.4):  # two mixtures or flows of one value that end alike
            width = self.draw.choice(["8", *self.widths])
            if width.isdigit() or self.chance(0.5):
                flow = f"({x.name} -> conv({self.draw.choice('13')}, {width}) -> bn)"
                return width, x.size, f"{flow} + {self.alike(Value('', width, x.size), values).name or flow}"
        terms = [x.name, *(self.alike(x, values).name for _ in range(self.draw.randrange(1, 3)))]
        return x.channels, x.size, " + ".join(terms)

    def product(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        return x.channels, x.size, f"{x.name} * {self.alike(x, values).name}"

    def shortcut(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        y = self.draw.choice([v for v in values if v.size == x.size])
        if self.chance(0.5):
            channels, size, text = self.conv(x.size)
            return channels, size, f"shortcut({y.name}, {x.name} -> {text})"
        return x.channels, x.size, f"shortcut({y.name}, {x.name})"

    def concat(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        others = [self.draw.choice([v for v in values if v.size == x.size]) for _ in range(self.draw.randrange(1, 3))]
        joined = f"concat({', '.join(v.name for v in (x, *others))})"
        if all(v.decided for v in (x, *others)) and self.chance(0.3):
            return str(sum(int(v.channels) for v in (x, *others))), x.size, joined
        channels, size, text = self.conv(x.size)
        return channels, size, f"{joined} -> {text}"

    def guard(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        condition = self.draw.choice(["{true, false}", "{true, false}", f"{x.name}.channels == 8", "2 == 2", "1 == 2"])
        inside = self.draw.choice(["conv(3, 8) -> bn", "dwconv(3) -> bn -> relu", "bn", self.act(), "avg_pool(3)"])
        channels = x.channels if "conv(3, 8)" not in inside or condition == "1 == 2" else "?"
        return channels, x.size, f"{x.name} -> ({inside}) when {condition}"

    def mixture(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        name = self.name()
        width = self.draw.choice(["8", x.channels if x.decided else "8", self.width()])
        options = [f"(conv({k}, {width}) -> bn)" for k in (1, 3)] + ["identity", "(dwconv(3) -> bn)", "max_pool(3)"]
        chosen = self.draw.sample(options, self.draw.randrange(1, 4))
        alternatives = "".join(f"  a{i}: {option}\n" for i, option in enumerate(chosen))
        self.definitions.append(f"choice {name} {{\n{alternatives}}}")
        kept = [o for o in chosen if "conv(1" not in o and "conv(3, " not in o]
        channels = x.channels if len(kept) == len(chosen) else width if width == x.channels or not kept else "?"
        return (
            channels if channels.isdigit() else "?",
            x.size,
            f"{x.name} -> {name}" + f" -> {self.act()}" * self.chance(0.3),
        )

    def squeeze(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        gate = self.draw.choice(["sigmoid", "hsigmoid"])
        if not self.chance(0.5):
            return x.channels, x.size, f"{x.name} * ({x.name} -> global_avg_pool -> {gate})"
        name = self.name()
        self.definitions.append(
            f"block {name}(ratio = 0.5) {{\n  s = x -> global_avg_pool -> conv(1, round_to(2, x.channels * ratio))"
            f" -> relu -> conv(1, x.channels, bias=true) -> {gate}\n  return x * s\n}}"
        )
        return x.channels, x.size, f"{x.name} -> {name}" + self.draw.choice(["", "", " when {true, false}"])

    def table(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        """Rows of one block: what differs between them is a parameter of its class."""
        name, inner, inside = self.name(), self.name(), self.name()
        body = self.draw.choice(
            [
                "return x -> conv(3, width, stride=stride) -> bn -> relu",
                "return shortcut(x, x -> conv(3, width, stride=stride) -> bn)",
                "%s = x -> conv(1, width) -> bn\n  return %s + (%s -> dwconv(3) -> bn) -> max_pool(3, stride=stride)",
                "return x -> avg_pool(3, stride=stride) -> conv(1, width) -> bn",
                "%s = x -> conv(1, 8) -> shuffle(width / 2) -> max_pool(width / 2 * 2 - 1)\n"
                "  return %s -> avg_pool(stride * 2 - 1) -> conv(3, width, stride=stride)",
            ]
        ).replace("%s", inside)
        self.definitions.append(f"block {inner}(width, stride = 1) {{\n  {body}\n}}")
        self.definitions.append(f"choice {name} {{\n  one: {inner}\n  none: identity when stride == 1\n}}")
        plain = "shuffle" in body
        rows, size = [], x.size
        for _ in range(self.draw.randrange(1, 4)):
            width = self.draw.choice(["2", "4", "8"] if plain else ["8", "4", "{4, 8}"])
            stride = 2 if size % 2 == 0 and size > 4 and self.chance(0.3) else 1
            depth = self.draw.choice(["1", "2"] if stride == 2 or plain else ["1", "2", "{1, 2}"])
            block = self.draw.choice([name, inner])
            rows.append(f"    | {block} | {width} | {depth} | {stride} |\n")
            size //= stride
        return "?", size, f"{x.name} -> stages {{\n    | block | width | depth | stride |\n{''.join(rows)}  }}"

    def call(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        """Calls of one block with other arguments, by names that mean something elsewhere."""
        name, width, act, flag, kernel, inside = (self.name() for _ in range(6))
        self.definitions.append(
            f"block {name}({width} = 4, {act} = relu, {flag} = false, {kernel} = 3) {{\n"
            f"  {inside} = x -> conv({kernel}, {width}, bias={flag}) -> bn -> {act}\n"
            f"  return {inside} -> max_pool({kernel}) -> ({act} -> bn) when {flag}\n}}"
        )
        calls: list[str] = []
        for _ in range(self.draw.randrange(1, 3)):
            arguments = [f"{width}={self.draw.choice(['4', '8', self.width()])}"]
            arguments += [f"{act}={self.act()}"] * self.chance(0.5)
            arguments += [f"{flag}={self.draw.choice(['true', 'false', '{true, false}'])}"] * self.chance(0.5)
            arguments += [f"{kernel}={self.draw.choice(['1', '3', '{1, 3}'])}"] * self.chance(0.5)
            calls.append(f"{name}({', '.join(arguments)})")
        return "?", x.size, " -> ".join([x.name, *calls])

    def normed(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        """Norms over channels, learned factors, nothing: what keeps a value's shape."""
        steps = [
            "layer_norm",
            "rms_norm",
            "scale(0.5)",
            "zero",
            "instance_norm",
            "upsample(2) -> avg_pool(2, stride=2)",
        ]
        steps += ["{tanh, mish}", "pad(1, 0) -> crop(0, 1)", "avg_pool(3, count_padding=false)", "max_pool(3x1)"]
        chosen = self.draw.sample(steps, self.draw.randrange(1, 3))
        return x.channels, x.size, " -> ".join([x.name, *chosen])

    def picked(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        """Some of several edges, as a cell has them."""
        width = self.draw.choice(["8", "{4, 8}"]) if not self.widths else self.widths[0]
        if not x.decided:
            x = Value(f"({x.name} -> conv(1, 8))", "8", x.size)
        edges = [
            x.name,
            f"{x.name} -> conv(1, {x.channels}) -> bn",
            f"{x.name} -> dwconv(3) -> bn",
            f"{x.name} -> zero",
        ]
        edges.append(f"{x.name} -> conv(1, {width}) -> relu -> conv(3, {x.channels}) -> bn")
        chosen = self.draw.sample(edges, self.draw.randrange(2, 5))
        return x.channels, x.size, f"pick({self.draw.randrange(1, len(chosen) + 1)}, {', '.join(chosen)})"

    def apart(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        """Channels in equal parts: a gated unit, groups and a shuffle."""
        name, a, b = self.name(), self.name(), self.name()
        width = self.draw.choice(["8", "{4, 8}", "4..12 by 4"])
        end = self.draw.choice([f"({a} -> tanh) * ({b} -> sigmoid)", f"concat({b}, {a})", f"{a} - {b}"])
        after = self.draw.choice(["", " -> conv(1, 8)", " -> conv(3, 8, groups=2)", " -> shuffle(2) -> conv(1, 4)"])
        self.definitions.append(
            f"block {name}(width) {{\n  {a}, {b} = x -> conv(1, width * 2, groups=1) -> bn -> split(2)\n"
            f"  return {end}{after}\n}}"
        )
        return "?", x.size, f"{x.name} -> {name}({width})"

    def grown(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        """A smaller map, and back."""
        width, like = self.draw.choice(["4", "{4, 6}"]), self.draw.choice([v for v in values if v.size == x.size])
        down = f"{x.name} -> conv(3, {width}, stride=2) -> bn"
        back = self.draw.choice(["conv_transpose(2, 8, stride=2) -> bn", "conv_transpose(4, {4, 8}, stride=2)"])
        if x.size % 2 or self.chance(0.4):
            mode = self.draw.choice(["", ", mode=bilinear"])
            back = f"conv(1, 8) -> resize(like={like.name}{mode})"
        return "?" if "{4, 8}" in back else "8", x.size, f"{down} -> {back}"

    def subtracted(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        other = self.alike(x, values).name
        text = self.draw.choice([f"{x.name} - {other}", f"0.5 * {x.name}", f"-{x.name} + 2 * {other}"])
        return x.channels, x.size, text

    def rows(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        """A table that others read in the middle of."""
        block, first, last = self.name(), self.name(), self.name()
        self.definitions.append(f"block {block}(width) {{\n  return x -> conv({{1, 3}}, width) -> bn\n}}")
        widths = self.draw.sample(["4", "let {4, 8}", "{4, 6}"], 2)
        table = self.name()
        lines = "".join(
            f"    | {name} | {block} | {width} | {self.draw.choice('12')} |\n"
            for name, width in zip((first, last), widths, strict=True)
        )
        inside = f"stages {{\n    | name | block | width | depth |\n{lines}  }}"
        reader = self.name()
        self.definitions.append(
            f"block {reader}() {{\n  {table} = x -> {inside}\n"
            f"  return ({table}.{first} -> conv(1, 8)) + ({table}.{last} -> conv(1, 8))\n}}"
        )
        return "8", x.size, f"{x.name} -> {reader}"

    def cells(self, x: Value, values: list[Value]) -> tuple[str, int, str]:
        """Cells that read the output before the last."""
        cell, a, b = self.name(), self.name(), self.name()
        self.definitions.append(
            f"block {cell}(width, previous) {{\n  {a} = previous -> conv(1, width) -> bn\n"
            f"  {b} = x -> conv({{1, 3}}, width) -> bn\n  return {a} + {b}\n}}"
        )
        width = self.draw.choice(["8", "{4, 8}"])
        depth = self.draw.choice(["2", "3", "{1, 2}"])
        table = f"stages {{\n    | block | width | depth |\n    | {cell} | {width} | {depth} |\n  }}"
        return "8" if width == "8" else "?", x.size, f"{x.name} -> {table}"

    def block(self, name: str) -> str:
        """A definition that a flow of the space may not use: it is checked all the same."""
        x = Value("x", "?", 8)
        values, lines = self.body([x], [], self.draw.randrange(1, 3))
        body = "\n".join(f"  {line}" for line in [*lines, f"return {values[-1].name}"])
        return f"block {name}() {{\n{body}\n}}"


def program(seed: int) -> str:
    """The text of the program of a seed."""
    return Programs(seed).text()
