# Rows with names, whose outputs others read, cells of one decision for their row, and a block that reads two layers.
block reduced(width) {
  return x -> relu -> conv(1, width, stride=2) -> bn
}

block cell(width, previous, stride = 1) {
  before = previous -> reduced(width) when previous.height != x.height
  s0     = before -> conv(1, width) -> bn
  s1     = x -> conv(1, width) -> bn
  mixed  = (s0 -> dwconv({3, 5}) -> bn) + s1
  return concat(mixed, s0) -> max_pool(3, stride=stride)
}

block plain(width, stride = 1) {
  return x -> conv({1, 3}, width, stride=stride) -> bn -> relu
}

space rows(classes = 3) {
  x     = image(3, size=16x8)
  stem  = x -> conv(3, 8) -> bn
  cells = stem -> stages {
    | name   | block | width | depth | stride | previous |
    | -      | cell  | 4     | 1     | 1      | stem     |
    | shared | cell  | 8     | 2     | 2      | -        |
  }
  trunk = cells -> stages {
    | name | block | width         | depth  | stride |
    | t2   | plain | let 4..8 by 2 | 2      | 1      |
    | t3   | plain | {6, 8}        | {1, 2} | 2      |
    | t4   | plain | {6, 8}        | 2      | 1      |
  }
  wide  = (trunk.t3 -> conv(1, 6)) + (trunk.t4 -> conv(1, 6))
  fine  = trunk.t2 -> conv(1, 6) -> max_pool(2, stride=2) -> bn
  again = cells.shared -> conv(1, 6) -> max_pool(2, stride=2) -> bn
  return (wide -> upsample -> avg_pool(2, stride=2)) + fine + again -> global_avg_pool
         -> linear(classes)
}
