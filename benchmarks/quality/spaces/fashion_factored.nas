# fashion.nas with the kernels as a set of one convolution; the networks are the same.
from "lib/mobile.nas" import ir

choice mb {
  ir:   ir(kernel={3, 5}, act=hswish, always_expand=true)
  skip: identity  when stride == 1
}

space fashion_factored(classes = 10, step = 4, first = 12) {
  x     = image(1, size=28)
  stem  = x -> conv(3, first, stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block | expand    | width                           | depth | stride |
    | mb    | 1..4 by 1 | step..5 * step by step          | 2     | 1      |
    | mb    | 1..4 by 1 | 2 * step..10 * step by 2 * step | 2     | 2      |
    | mb    | 1..4 by 1 | 4 * step..20 * step by 4 * step | 2     | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
