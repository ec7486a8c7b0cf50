# Operations of DARTS's cells (Liu et al., 2019).

## A 1x1 convolution after its activation.
block relu_conv(width) {
  return x -> relu -> conv(1, width) -> bn
}

## Half the map's size: two 1x1 convolutions of stride 2, the second one pixel further down and right.
block factorized_reduce(width) {
  half  = width / 2
  y     = x -> relu
  first = y -> conv(1, half, stride=2)
  other = y -> crop(1, 0) -> conv(1, half, stride=2)
  return concat(first, other) -> bn
}

## Two separable convolutions; the first has the stride.
block sep_conv(kernel = 3, stride = 1) {
  inner = x -> relu -> dwconv(kernel, stride=stride) -> conv(1, x.channels) -> bn
  return inner -> relu -> dwconv(kernel) -> conv(1, x.channels) -> bn
}

## A separable convolution whose window has holes.
block dil_conv(kernel = 3, stride = 1) {
  return x -> relu -> dwconv(kernel, stride=stride, dilation=2) -> conv(1, x.channels) -> bn
}
