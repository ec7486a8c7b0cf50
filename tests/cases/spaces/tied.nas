# Decisions that conditions tie, and functions of values.
let ch(c, m = 1.0) = round_to(4, c * m, 0.9)

block plain(width, stride = 1) {
  return x -> conv({1, 3}, width, stride=stride) -> bn -> relu
}

choice op {
  a:    plain
  b:    conv(1, 8) -> bn
  skip: identity
}

space tied(classes = 3, m = 1.0) {
  x     = image(2, size=8)
  let w1 = 4..12 by 4
  let w2 = 4..16 by 4
  let w3 = 8..16 by 4
  let d = {1, 2}
  let e = {1, 2}
  let half(c) = c / 2
  require w1 <= w2 and w2 <= w3
  require d + e <= 3
  require w1 < 12
  stem  = x -> conv(3, ch(w1, m)) -> bn
  trunk = stem -> stages {
    | block | width | depth | stride |
    | plain | w2    | d     | 2      |
    | op    | w3    | e     | 1      |
  }
  return trunk -> conv(1, half(w2)) -> global_avg_pool -> linear(classes)
}
