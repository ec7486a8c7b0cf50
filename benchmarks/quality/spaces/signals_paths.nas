# The kernels and expansions of signals.nas as paths side by side, at fixed widths: what a search of the usual kind has.
from "signals.nas" import ir

choice path {
  k3_e1: ir(kernel=3, expand=1)
  k3_e2: ir(kernel=3, expand=2)
  k3_e3: ir(kernel=3, expand=3)
  k3_e4: ir(kernel=3, expand=4)
  k7_e1: ir(kernel=7, expand=1)
  k7_e2: ir(kernel=7, expand=2)
  k7_e3: ir(kernel=7, expand=3)
  k7_e4: ir(kernel=7, expand=4)
  skip:  identity  when stride == 1
}

space signals_paths(classes = 10, step = 4, first = 8) {
  x     = signal(1, 40)
  stem  = x -> conv(5, first, stride=2) -> bn -> relu
  trunk = stem -> stages {
    | block | width    | depth | stride |
    | path  | 2 * step | 2     | 1      |
    | path  | 4 * step | 2     | 2      |
    | path  | 6 * step | 1     | 2      |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
