block residual(width, stride = 1) {
  downsample = x -> (avg_pool(2, stride=2) -> conv(1, width)) when stride > 1 or x.channels != width
  conv1      = x -> conv(3, width, stride=stride) -> bn -> relu
  conv2      = conv1 -> conv(3, width) -> bn
  return downsample + conv2 -> relu
}

space stages_1() {
  x            = image(1, size=16)
  stem         = x -> conv(3, 8, bias=true)
  trunk        = stem -> stages {
    | block    | width | depth | stride |
    | residual | 8     | 2     | 1      |
    | residual | 16    | 2     | 2      |
    | residual | 24    | 2     | 2      |
  }
  avg_pool_1   = trunk -> avg_pool(4, stride=4)
  heads_colour = avg_pool_1 -> linear(3)
  heads_shape  = avg_pool_1 -> linear(4)
  return { colour: heads_colour, shape: heads_shape }
}
