# Blocks of the mobile networks, as FBNetV2 has them.

## Scales each channel by a gate made of all channels' means (Hu et al., 2018).
block squeeze_excite(ratio = 0.25, act = relu, gate = hsigmoid) {
  squeeze = round_to(8, x.channels * ratio)
  pooled  = x -> global_avg_pool
  reduce  = pooled -> conv(1, squeeze, bias=true) -> act
  scale   = reduce -> conv(1, x.channels, bias=true) -> gate
  return x * scale
}

# The expanding convolution is left out where it would change nothing (mid equals the input's width), as the released
# networks do. Where the widths are searched, that guard is a decision of its own; `always_expand` does without it.
## Inverted residual (Sandler et al., 2018), with squeeze-and-excite where asked.
block ir(width, expand = 1, kernel = 3, stride = 1, act = relu, se = false, always_expand = false) {
  mid       = round_to(8, x.channels * expand)
  expansion = x -> (conv(1, mid) -> bn -> act) when always_expand or mid != x.channels
  depthwise = expansion -> dwconv(kernel, stride=stride) -> bn -> act
  attention = depthwise -> squeeze_excite(act=act) when se
  project   = attention -> conv(1, width) -> bn
  return shortcut(x, project)
}

## A 1x1 convolution with batch norm and ReLU, where no identity fits.
block skip_conv(width, stride = 1) {
  project = x -> conv(1, width, stride=stride) -> bn -> relu
  return project
}

## The last block of FBNetV2: expand, pool, and widen without batch norm.
block ir_pool(width, expand = 6, act = hswish) {
  mid       = round_to(8, x.channels * expand)
  expansion = x -> conv(1, mid) -> bn -> act
  pooled    = expansion -> global_avg_pool
  widen     = pooled -> conv(1, width) -> act
  return widen
}

# Convolutions have biases, and grouped 1x1 convolutions are followed by a channel shuffle.
## The inverted residual of FBNet (Wu et al., 2019).
block ir_v1(width, expand = 1, kernel = 3, groups = 1, stride = 1) {
  mid       = round_to(8, x.channels * expand)
  expansion = x -> (conv(1, mid, bias=true, groups=groups) -> bn -> relu
                    -> shuffle(groups) when groups > 1) when mid != x.channels
  depthwise = expansion -> dwconv(kernel, stride=stride, bias=true) -> bn -> relu
  project   = depthwise -> conv(1, width, bias=true, groups=groups) -> bn
  return shortcut(x, project)
}
