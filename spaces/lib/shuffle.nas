# Units of ShuffleNetV2 (Ma et al., 2018): half of the channels is made anew, then the halves are shuffled.

## A depthwise convolution between two 1x1.
block shuffle_branch(width, kernel = 3, stride = 1) {
  narrow    = x -> conv(1, width) -> bn -> relu
  depthwise = narrow -> dwconv(kernel, stride=stride) -> bn
  return depthwise -> conv(1, width) -> bn -> relu
}

## Three depthwise 3x3 convolutions, each with a 1x1 behind it.
block xception_branch(width, stride = 1) {
  first  = x -> dwconv(3, stride=stride) -> bn -> conv(1, width) -> bn -> relu
  second = first -> dwconv(3) -> bn -> conv(1, width) -> bn -> relu
  return second -> dwconv(3) -> bn -> conv(1, width) -> bn -> relu
}

## What goes beside a branch where the map's size is halved.
block shuffle_side(width, kernel = 3) {
  return x -> dwconv(kernel, stride=2) -> bn -> conv(1, width) -> bn -> relu
}

## The unit that keeps a map's size: the first half of its input goes through as it is.
block shuffle_unit(width, kernel = 3) {
  first, second = x -> split(2)
  other         = second -> shuffle_branch(width / 2, kernel=kernel)
  return concat(first, other) -> shuffle(2)
}

## The unit that halves a map's size: both halves are made of its whole input.
block shuffle_down(width, kernel = 3) {
  first = x -> shuffle_side(width / 2, kernel=kernel)
  other = x -> shuffle_branch(width / 2, kernel=kernel, stride=2)
  return concat(first, other) -> shuffle(2)
}

## The unit that keeps a map's size, with the deeper branch.
block xception_unit(width) {
  first, second = x -> split(2)
  other         = second -> xception_branch(width / 2)
  return concat(first, other) -> shuffle(2)
}

## The unit that halves a map's size, with the deeper branch.
block xception_down(width) {
  first = x -> shuffle_side(width / 2)
  other = x -> xception_branch(width / 2, stride=2)
  return concat(first, other) -> shuffle(2)
}
