# Units of ShuffleNetV2 (Ma et al., 2018): half of the channels is made anew, then the halves are shuffled.

## A depthwise 3x3 convolution between two 1x1.
block shuffle_branch(width, stride = 1) {
  narrow    = x -> conv(1, width) -> bn -> relu
  depthwise = narrow -> dwconv(3, stride=stride) -> bn
  return depthwise -> conv(1, width) -> bn -> relu
}

## The unit that keeps a map's size: the first half of its input goes through as it is.
block shuffle_unit(width) {
  half  = width / 2
  first = x -> slice(0, half)
  other = x -> slice(half, half) -> shuffle_branch(half)
  return concat(first, other) -> shuffle(2)
}

## The unit that halves a map's size: both halves are made of its whole input.
block shuffle_down(width) {
  half  = width / 2
  first = x -> dwconv(3, stride=2) -> bn -> conv(1, half) -> bn -> relu
  other = x -> shuffle_branch(half, stride=2)
  return concat(first, other) -> shuffle(2)
}
