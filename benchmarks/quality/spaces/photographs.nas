# Six inverted residuals for crops of photographs: kernels, expansions, widths and depths.
from "lib/mobile.nas" import ir

choice mb {
  k3:   ir(kernel=3, act=hswish, always_expand=true)
  k5:   ir(kernel=5, act=hswish, always_expand=true)
  skip: identity  when stride == 1
}

space photographs(classes = 10, step = 4, first = 12) {
  x     = image(3, size=24)
  stem  = x -> conv(3, first, stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block | expand    | width                           | depth | stride |
    | mb    | 1..4 by 1 | step..5 * step by step          | 2     | 1      |
    | mb    | 1..4 by 1 | 2 * step..10 * step by 2 * step | 2     | 2      |
    | mb    | 1..4 by 1 | 4 * step..20 * step by 4 * step | 2     | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}

objective {
  minimize cross_entropy
  subject to macs <= 250K
}

search {
  split        = 0.75
  epochs       = 10
  warmup       = 2
  batch        = 64
  weights      = adam(lr=0.005)
  architecture = adam(lr=0.05)
  temperature  = 2.0 * exp(-0.3 * epoch)
  candidates   = 12
}

train {
  epochs          = 6
  batch           = 64
  label_smoothing = 0.05
  weights         = adam(lr=0.01)
  validation      = 0
}
