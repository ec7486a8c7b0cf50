# Choices and blocks in flows: names of weights that survive derivation, names that Python or the program holds, a
# branch that only a shortcut reads, a table in a block, a choice in a choice, a flow named like its op.
choice none {
  conv: conv(3, 8)
  bn:   conv(5, 8) -> bn
  t:    identity
}

choice outer {
  i:  conv(3, 8) -> none
  id: identity
}

block deep(width) {
  rows = x -> stages {
    | block | width  | depth |
    | step  | {4, 8} | 1     |
    | none  | -      | 1     |
  }
  return rows -> conv(1, width)
}

block step(width) {
  return x -> conv(1, width) -> bn -> relu
}

space F(classes = 3) {
  x    = image(2, size={5, 8})
  bn   = x -> conv(3, 8) -> bn
  may  = maybe()
  act  = x -> conv(1, 8)
  t    = bn -> may -> none -> bn_step -> none
  p    = t -> conv(3, {4, 8})
  q    = t -> conv(3, {4, 8})
  s    = shortcut(p, q) -> outer -> deep(8)
  u    = s -> deep(8) -> {relu, gelu}
  rows = u -> stages {
    | block | depth |
    | none  | 2     |
  }
  return concat(rows, bn, act -> {relu, swish}) -> global_avg_pool -> (linear(8) -> {relu, hswish})
         -> linear(classes)
}

block bn_step() {
  return x -> bn
}

block maybe() {
  return x -> (conv(3, 8) -> bn) when {true, false}
}
