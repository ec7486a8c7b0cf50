"""Element-wise activations: one class, one instance for each torch function."""

from nasir.ir.ops.base import Call, Contract, Op, Tensors


class Activation(Op):
    """`relu`, `hswish`, ...: a torch.nn.functional function of the map alone.

    `module` is the same function as a class of torch.nn. `keeps_zero` tells whether f(0) = 0. Hard swish is not
    homogeneous, f(s v) != s f(v), so a mask moves past it.
    """

    contract = Contract.CHANNELWISE
    mixes_by = "function"

    def __init__(self, name: str, function: str, module: str, *, keeps_zero: bool) -> None:
        self.name = name
        self.keeps_zero = keeps_zero
        self.module = module
        self.function = function

    def call(self, it: Tensors) -> Call:
        return Call("function", self.function)


offered = (
    Activation("relu", "relu", "ReLU", keeps_zero=True),
    Activation("relu6", "relu6", "ReLU6", keeps_zero=True),
    Activation("hswish", "hardswish", "Hardswish", keeps_zero=True),
    Activation("swish", "silu", "SiLU", keeps_zero=True),
    Activation("gelu", "gelu", "GELU", keeps_zero=True),
    Activation("mish", "mish", "Mish", keeps_zero=True),
    Activation("elu", "elu", "ELU", keeps_zero=True),
    Activation("leaky_relu", "leaky_relu", "LeakyReLU", keeps_zero=True),
    Activation("tanh", "tanh", "Tanh", keeps_zero=True),
    Activation("hsigmoid", "hardsigmoid", "Hardsigmoid", keeps_zero=False),
    Activation("sigmoid", "sigmoid", "Sigmoid", keeps_zero=False),
)
