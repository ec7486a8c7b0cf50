block residual(width, stride = 1) {
  downsample = x -> (avg_pool(2, stride=2) -> conv(1, width)) when stride > 1 or x.channels != width
  conv1      = x -> conv({3, 5, 7}, width, stride=stride) -> bn -> relu
  conv2      = conv1 -> conv({3, 5, 7}, width) -> bn
  return downsample + conv2 -> relu
}

space stages_1() {
  x            = image(1, size=16)
  let width_1 = {8, 16}
  stem         = x -> conv({3, 5, 7}, width_1, bias=true)
  trunk        = stem -> stages {
    | block    | width            | depth  | stride |
    | residual | width_1          | {2, 3} | 1      |
    | residual | let {16, 24, 32} | {2, 3} | 2      |
    | residual | let {16, 24, 32} | {2, 3} | 2      |
  }
  avg_pool_1   = trunk -> avg_pool(4, stride=4)
  heads_colour = avg_pool_1 -> linear(3)
  heads_shape  = avg_pool_1 -> linear(4)
  return { colour: heads_colour, shape: heads_shape }
}
