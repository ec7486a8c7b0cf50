# Blocks of MLPerf Tiny's networks (Banbury et al., 2021), which Keras defines: convolutions have biases, batch norms an
# epsilon of 1e-3, and `same` puts what is uneven behind the map.

## A convolution with batch norm.
block conv_same(kernel, width, stride = 1) {
  return x -> conv(kernel, width, stride=stride, bias=true, padding=same) -> bn(eps=1e-3) -> relu
}

## A depthwise 3x3 and a 1x1 convolution, each with batch norm.
block separable(width, stride = 1) {
  depthwise = x -> dwconv(3, stride=stride, bias=true, padding=same) -> bn(eps=1e-3) -> relu
  return depthwise -> conv(1, width, bias=true) -> bn(eps=1e-3) -> relu
}
