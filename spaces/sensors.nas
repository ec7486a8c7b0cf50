# Networks for sequences, as of sensors or sound: kernel, dilation and width of each layer, its block,
# squeeze-and-excite, and which layers are there. Ours; dilations after temporal convolutional networks (Bai et al.,
# 2018).
from "lib/mobile.nas" import squeeze_excite

## A dilated convolution beside a shortcut.
block dilated(width, kernel = 3, dilation = 1, stride = 1, se = false) {
  y = x -> conv(kernel, width, stride=stride, dilation=dilation) -> bn -> relu
      -> squeeze_excite when se
  return shortcut(x, y)
}

## The same of a depthwise and a 1x1 convolution.
block separable(width, kernel = 3, dilation = 1, stride = 1, se = false) {
  depthwise = x -> dwconv(kernel, stride=stride, dilation=dilation) -> bn -> relu
  y         = depthwise -> conv(1, width) -> bn -> relu -> squeeze_excite when se
  return shortcut(x, y)
}

choice layer {
  full: dilated
  sep:  separable
  skip: identity  when stride == 1
}

space sensors(classes = 6, channels = 9, length = 128) {
  x     = signal(channels, length)
  stem  = x -> conv({5, 9}, 16..32 by 8) -> bn -> relu
  trunk = stem -> stages {
    | block | kernel    | dilation  | width        | se            | depth | stride |
    | layer | {3, 5, 9} | 1         | 16..32 by 8  | {true, false} | 1     | 2      |
    | layer | {3, 5}    | {1, 2, 4} | 16..32 by 8  | {true, false} | 2     | 1      |
    | layer | {3, 5, 9} | 1         | 32..64 by 16 | {true, false} | 1     | 2      |
    | layer | {3, 5}    | {1, 2, 4} | 32..64 by 16 | {true, false} | 2     | 1      |
  }
  head  = trunk -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 500K
}
