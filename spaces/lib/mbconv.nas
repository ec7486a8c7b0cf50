# Inverted residuals with the squeeze-and-excite of the networks that brought it to them. EfficientNet has MnasNet's.

## Scales each channel by a gate made of all channels' means (Hu et al., 2018); `squeeze` numbers make it.
block excite(squeeze, act = relu, gate = sigmoid) {
  pooled = x -> global_avg_pool
  reduce = pooled -> conv(1, squeeze, bias=true) -> act
  scale  = reduce -> conv(1, x.channels, bias=true) -> gate
  return x * scale
}

## Inverted residual of MnasNet (Tan et al., 2019); `se` is the squeeze as a share of the block's own input.
block mbconv(width, expand = 1, kernel = 3, stride = 1, act = relu, se = 0) {
  mid       = round_to(8, x.channels * expand)
  expansion = x -> (conv(1, mid) -> bn -> act) when mid != x.channels
  depthwise = expansion -> dwconv(kernel, stride=stride) -> bn -> act
  attention = depthwise -> excite(round_to(1, x.channels * se), act=act) when se > 0
  project   = attention -> conv(1, width) -> bn
  return shortcut(x, project)
}

## Inverted residual of MobileNetV3 (Howard et al., 2019); `se` is the squeeze as a share of the expansion.
block mbconv_v3(width, expand = 1, kernel = 3, stride = 1, act = hswish, se = 0) {
  mid       = round_to(8, x.channels * expand)
  expansion = x -> (conv(1, mid) -> bn -> act) when mid != x.channels
  depthwise = expansion -> dwconv(kernel, stride=stride) -> bn -> act
  attention = depthwise -> excite(round_to(8, mid * se), gate=hsigmoid) when se > 0
  project   = attention -> conv(1, width) -> bn
  return shortcut(x, project)
}
