"""What somebody meant who writes another language: the sentence that mends it."""

import re
from collections.abc import Mapping, Sequence

_SENTENCES: Sequence[tuple[str, str]] = (
    (r"\[", "a set of options stands in braces: `{3, 5}`"),
    (r"//", "a comment begins with `#`"),
    (r"import\b", 'definitions come by their names: `from "lib/mobile.nas" import ir`'),
    (r"=>", "a flow is written with `->`"),
    (r";", "statements need no end: begin the next one on a line of its own"),
    (r"&&|\|\||!", "write `and`, `or`, `not`"),
    (r"\*\*|\^", "there is no power here; write the product, `c * c`"),
    (r":=", "a name is bound with `=`"),
    (r"def\b|class\b|function\b|module\b", "a block is `block name(width, stride = 1) { ... return ... }`"),
    (r"(?:for|while)\b.*", "a table repeats layers: its column `depth` says how often"),
    (r"x\s*[0-9]", "a pair is written without blanks: `3x1`"),
    (r"[0-9.]+\s*(?:ms|us|s|[kMG]?B|mJ)\b", "a number has no unit; it may end in `K`, `M` or `G`"),
    (r"[0-9.]+\s*(?:k|m|g)\b", "a number may end in `K`, `M` or `G`, in capitals"),
)
"""What stands where a text cannot go on, and what to write instead."""

_AROUND: Sequence[tuple[str, str]] = (
    (r"space\s+\w+\s*\{$", "a space has parameters: `space name(classes = 10) { ... }`"),
    (r"block\s+\w+\s*\{$", "a block has parameters, `block name(width) { ... }`; `()` where it needs none"),
    (r"\bif\b[^\n]*$", "what is there at times only is `f when condition`"),
    (r"\.\.\s*[\w.]+\s*\S$", "a range has a step: `8..16 by 8`"),
    (r"\(\s*[0-9]+\s*,$", "a pair is written `3x1`, height x width; more options are a set, `{3, 5}`"),
    (r"^\s*\(\s*\w+(?:\s*,\s*\w+)+\s*\)\s*=$", "several results are named without parentheses: `a, b = ...`"),
    (r"^\s*(?:for|while)\b[^\n]*$", "a table repeats layers: its column `depth` says how often"),
    (r"^\s*\w+\s*:[^\n]*,$", "alternatives stand one below the other, without commas"),
)
"""The line up to the place, its first character included."""

FOREIGN: Mapping[str, str] = {
    **dict.fromkeys(("True", "TRUE"), "true"),
    **dict.fromkeys(("False", "FALSE", "None", "null"), "false"),
    **dict.fromkeys(("Conv1d", "Conv2d", "Conv2D", "conv2d", "conv1d", "Conv", "convolution"), "conv(kernel, width)"),
    **dict.fromkeys(("DepthwiseConv2D", "depthwise", "depthwise_conv", "depthwise_conv2d"), "dwconv(kernel)"),
    **dict.fromkeys(
        ("ConvTranspose2d", "Conv2DTranspose", "deconv", "conv_transpose2d"), "conv_transpose(kernel, width)"
    ),
    **dict.fromkeys(("Linear", "Dense", "dense", "fc", "fully_connected"), "linear(width)"),
    **dict.fromkeys(("BatchNorm2d", "BatchNorm1d", "BatchNormalization", "batch_norm", "batchnorm", "BN"), "bn"),
    **dict.fromkeys(("LayerNorm", "LayerNorm2d", "layernorm", "LayerNormalization", "ln"), "layer_norm"),
    **dict.fromkeys(("GroupNorm", "groupnorm"), "group_norm(groups)"),
    **dict.fromkeys(("RMSNorm", "rmsnorm"), "rms_norm"),
    **dict.fromkeys(("InstanceNorm2d", "instancenorm"), "instance_norm"),
    **dict.fromkeys(("ReLU", "Relu", "RELU"), "relu"),
    **dict.fromkeys(("ReLU6", "Relu6"), "relu6"),
    **dict.fromkeys(("LeakyReLU", "leakyrelu"), "leaky_relu"),
    **dict.fromkeys(("SiLU", "silu", "Swish"), "swish"),
    **dict.fromkeys(("Hardswish", "hardswish", "hard_swish", "h_swish", "HSwish"), "hswish"),
    **dict.fromkeys(("Hardsigmoid", "hardsigmoid", "hard_sigmoid", "h_sigmoid"), "hsigmoid"),
    **dict.fromkeys(("GELU", "Gelu"), "gelu"),
    **dict.fromkeys(("Sigmoid",), "sigmoid"),
    **dict.fromkeys(("Tanh",), "tanh"),
    **dict.fromkeys(("Mish",), "mish"),
    **dict.fromkeys(("ELU",), "elu"),
    **dict.fromkeys(("MaxPool2d", "MaxPooling2D", "maxpool", "max_pool2d"), "max_pool(kernel, stride=2)"),
    **dict.fromkeys(("AvgPool2d", "AveragePooling2D", "avgpool", "avg_pool2d"), "avg_pool(kernel, stride=2)"),
    **dict.fromkeys(
        ("AdaptiveAvgPool2d", "GlobalAveragePooling2D", "GlobalAvgPool2d", "gap", "global_pool", "adaptive_avg_pool2d"),
        "global_avg_pool",
    ),
    **dict.fromkeys(("AdaptiveMaxPool2d", "GlobalMaxPooling2D"), "global_max_pool"),
    **dict.fromkeys(("Flatten",), "flatten"),
    **dict.fromkeys(("Dropout", "Dropout2d"), "dropout(p)"),
    **dict.fromkeys(("DropPath", "StochasticDepth", "stochastic_depth"), "drop_path(p)"),
    **dict.fromkeys(("Upsample", "UpSampling2D", "interpolate"), "upsample(2)"),
    **dict.fromkeys(("Concatenate", "cat", "concatenate"), "concat(a, b)"),
    **dict.fromkeys(("ChannelShuffle", "channel_shuffle"), "shuffle(groups)"),
    **dict.fromkeys(("chunk",), "a, b = x -> split(2)"),
    **dict.fromkeys(("Identity",), "identity"),
    **dict.fromkeys(("none", "Zero", "zeros"), "zero"),
    **dict.fromkeys(("LayerScale", "layer_scale"), "scale(init)"),
    **dict.fromkeys(("ZeroPad2d", "ZeroPadding2D", "padding2d"), "pad(before, behind)"),
    **dict.fromkeys(("Input", "input"), "image(channels, size)"),
    **dict.fromkeys(("SqueezeExcite", "SEBlock", "se_block"), 'from "lib/mobile.nas" import squeeze_excite'),
    **dict.fromkeys(("Softmax", "softmax", "LogSoftmax"), "nothing: a loss takes the logits"),
}
"""Names of PyTorch, Keras and timm, and ours."""


def meant(text: str, at: int) -> str | None:
    """The sentence that mends a text which cannot go on at the place `at`; None where nothing is known."""
    for pattern, sentence in _SENTENCES:
        found = re.compile(pattern).match(text, at)
        if found or (pattern in {"//", "=>", r"\*\*|\^"} and re.compile(pattern).match(text, max(0, at - 1))):
            return sentence
    line = text[text.rfind("\n", 0, at) + 1 : at + 1]
    return next((sentence for pattern, sentence in _AROUND if re.search(pattern, line)), None)


def ours(name: str) -> str | None:
    """What a name of another library is called here, as a hint."""
    known = FOREIGN.get(name)
    return None if known is None else f"write `{known}`" if " " not in known or "(" in known else f"write {known}"
