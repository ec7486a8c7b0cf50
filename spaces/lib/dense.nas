# Blocks of densely connected networks (Huang et al., 2017): norm and activation come before each convolution.

## A layer that puts `growth` channels of its own behind all that it reads.
block dense(growth) {
  mid    = 4 * growth
  narrow = x -> bn -> relu -> conv(1, mid)
  grown  = narrow -> bn -> relu -> conv(3, growth)
  return concat(x, grown)
}

## Half of the channels, on a map of half the size.
block transition() {
  half   = x.channels / 2
  narrow = x -> bn -> relu -> conv(1, half)
  return narrow -> avg_pool(2, stride=2)
}
