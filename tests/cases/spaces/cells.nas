# Cells that read the output before the last, and pick their edges; one kind of operation has no kernel at all.
choice op {
  none: zero
  skip: identity
  sep:  sep
  pool: avg_pool(3, count_padding=false) -> bn
}

block sep() {
  y = x -> relu -> dwconv(3) -> conv(1, x.channels) -> bn
  return y
}

block cell(previous, stride = 1) {
  s0 = previous -> relu -> conv(1, 8) -> bn
  s1 = x -> relu -> conv(1, 8) -> bn
  n1 = pick(2, s0 -> op, s1 -> op, s1 -> sep)
  n2 = pick(2, s0 -> op, s1 -> op, n1 -> op)
  return concat(n1, n2) -> max_pool(3, stride=stride)
}

space cells(classes = 4) {
  x     = image(3, size=8)
  stem  = x -> conv(3, 8) -> bn
  cells = stem -> stages {
    | block | depth |
    | cell  | 1     |
    | cell  | 2     |
  }
  return cells -> global_avg_pool -> linear(classes)
}
