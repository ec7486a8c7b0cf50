# fashion.nas with the kernels as a set of one convolution; the networks are the same.
from "lib/mobile.nas" import ir

choice mb {
  ir:   ir(kernel={3, 5}, act=hswish, always_expand=true)
  skip: identity  when stride == 1
}

space fashion_factored(classes = 10) {
  x     = image(1, size=28)
  stem  = x -> conv(3, 12, stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block | expand    | width        | depth | stride |
    | mb    | 1..4 by 1 | 4..20 by 4   | 2     | 1      |
    | mb    | 1..4 by 1 | 8..40 by 8   | 2     | 2      |
    | mb    | 1..4 by 1 | 16..80 by 16 | 2     | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
