# Blocks of NAS-Bench-201 (Dong and Yang, 2020), which NATS-Bench has too.

## A convolution after its activation, by default as wide as what it reads.
block relu_conv_bn(width = x.channels, kernel = 3, stride = 1) {
  return x -> relu -> conv(kernel, width, stride=stride) -> bn
}

## Half the map's size and another width, between two stages.
block halve(width) {
  main  = x -> relu_conv_bn(width, stride=2) -> relu_conv_bn(width)
  fewer = x -> avg_pool(2, stride=2) -> conv(1, width)
  return fewer + main
}
