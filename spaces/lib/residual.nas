# Blocks of residual networks (He et al., 2016). Where the shape changes, a 1x1 convolution fits the shortcut.

## Two 3x3 convolutions beside a shortcut.
block basic(width, stride = 1) {
  inner  = x -> conv(3, width, stride=stride) -> bn -> relu
  outer  = inner -> conv(3, width) -> bn
  fitted = x -> (conv(1, width, stride=stride) -> bn) when stride > 1 or x.channels != width
  return outer + fitted -> relu
}

## A 3x3 convolution between two 1x1 that narrow and widen by 4, beside a shortcut; the 3x3 has the stride.
block bottleneck(width, stride = 1) {
  mid    = width / 4
  narrow = x -> conv(1, mid) -> bn -> relu
  inner  = narrow -> conv(3, mid, stride=stride) -> bn -> relu
  outer  = inner -> conv(1, width) -> bn
  fitted = x -> (conv(1, width, stride=stride) -> bn) when stride > 1 or x.channels != width
  return outer + fitted -> relu
}
