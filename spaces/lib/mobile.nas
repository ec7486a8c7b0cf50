# Blocks of the mobile networks: squeeze-and-excite (Hu et al., 2018) and the inverted residual (Sandler et al., 2018)
# as FBNetV2 has them.

block squeeze_excite(ratio = 0.25, act = relu, gate = hsigmoid) {
  squeeze = round_to(8, x.channels * ratio)
  pooled  = x -> global_avg_pool
  reduce  = pooled -> conv(1, squeeze, bias=true) -> act
  scale   = reduce -> conv(1, x.channels, bias=true) -> gate
  return x * scale
}

# The expanding convolution is left out where it would change nothing (mid equals the input's width), as the released
# networks do. Where the widths are searched, that guard is a decision of its own; `always_expand` does without it.
block ir(width, expand = 1, kernel = 3, stride = 1, act = relu, se = false, always_expand = false) {
  mid       = round_to(8, x.channels * expand)
  expansion = x -> (conv(1, mid) -> bn -> act) when always_expand or mid != x.channels
  depthwise = expansion -> dwconv(kernel, stride=stride) -> bn -> act
  attention = depthwise -> squeeze_excite(act=act) when se
  project   = attention -> conv(1, width) -> bn
  return shortcut(x, project)
}
