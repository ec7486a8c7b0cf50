# SqueezeNet 1.1 (Iandola et al., 2016), as torchvision has it: squeezenet1_1.

## Narrows, then widens by a 1x1 and by a 3x3 convolution side by side. None has a batch norm.
block fire(squeeze, expand) {
  narrow = x -> conv(1, squeeze, bias=true) -> relu
  one    = narrow -> conv(1, expand, bias=true) -> relu
  three  = narrow -> conv(3, expand, bias=true) -> relu
  return concat(one, three)
}

space squeezenet1_1(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 64, stride=2, bias=true, padding=0) -> relu
  trunk = stem -> stages {
    | block                                       | squeeze | expand | depth |
    | max_pool(3, stride=2, padding=0, ceil=true) | -       | -      | 1     |
    | fire                                        | 16      | 64     | 2     |
    | max_pool(3, stride=2, padding=0, ceil=true) | -       | -      | 1     |
    | fire                                        | 32      | 128    | 2     |
    | max_pool(3, stride=2, padding=0, ceil=true) | -       | -      | 1     |
    | fire                                        | 48      | 192    | 2     |
    | fire                                        | 64      | 256    | 2     |
  }
  last  = trunk -> dropout -> conv(1, classes, bias=true) -> relu
  head  = last -> global_avg_pool -> flatten
  return head
}
