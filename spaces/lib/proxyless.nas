# The block of ProxylessNAS (Cai et al., 2019), as released.

## An inverted residual; batch norms have an epsilon of 1e-3.
block mb(width, expand = 1, kernel = 3, stride = 1) {
  mid       = round_to(8, x.channels * expand)
  expansion = x -> (conv(1, mid) -> bn(eps=1e-3) -> relu6) when mid != x.channels
  depthwise = expansion -> dwconv(kernel, stride=stride) -> bn(eps=1e-3) -> relu6
  project   = depthwise -> conv(1, width) -> bn(eps=1e-3)
  return shortcut(x, project)
}
