# Blocks of ConvNeXt (Liu et al., 2022).

## A depthwise convolution, and two 1x1 that widen by `ratio` and narrow again, beside a shortcut.
block convnext(kernel = 7, ratio = 4) {
  mid    = ratio * x.channels
  mixed  = x -> dwconv(kernel, bias=true) -> layer_norm(eps=1e-6)
  wide   = mixed -> conv(1, mid, bias=true) -> gelu
  narrow = wide -> conv(1, x.channels, bias=true) -> scale(1e-6)
  return x + narrow
}

## Half the map's size, between two stages.
block convnext_down(width) {
  return x -> layer_norm(eps=1e-6) -> conv(2, width, stride=2, bias=true)
}
