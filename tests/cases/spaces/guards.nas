# Every way to make a mixture: soft guards, sets of functions, kernels and flags, a shared decision, nested choices,
# concatenation, a sum, a width that computes from another, a block with a set inside.
let w = 8..16 by 4

block pair(width, act = {relu, hswish}) {
  let inner = {4, 8}
  left  = x -> conv({1, 3}, inner) -> bn -> act
  right = x -> dwconv(3) -> bn -> act
  return concat(left, right) -> conv(1, width) -> bn
}

choice inner {
  pooled: max_pool(3) -> conv(1, 12) -> bn
  wide:   conv(3, 16, bias={true, false}) -> bn -> sigmoid
}

choice outer {
  nested: inner
  pair:   pair(act=relu)
  none:   identity
}

space guards(classes = 5) {
  x      = image(2, size=9)
  stem   = x -> conv(3, w, stride=2) -> bn -> {relu, gelu}
  mixed  = stem -> (conv(1, w) -> bn -> relu) when {true, false} -> outer(width=8)
  body   = mixed -> stages {
    | block | width      | depth |
    | pair  | {8, 16}    | 1     |
    | outer | 4..12 by 8 | 2     |
  }
  summed = body -> pair(w)
  next   = summed -> pair(width=w)
  both   = summed + next
  return both -> avg_pool(3, stride=2) -> global_avg_pool -> linear(20) -> bn -> relu
         -> linear(classes)
}
