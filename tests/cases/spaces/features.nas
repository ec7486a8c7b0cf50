# A space over flat vectors, the rows of a table.
choice layer {
  mlp:  linear({4, 8, 12}) -> layer_norm -> gelu -> linear({6, 8})
  norm: bn -> linear({6, 8}) -> relu
  skip: identity
}

space tabular(classes = 3) {
  x     = features(5)
  stem  = x -> linear({6, 8}) -> bn -> relu
  trunk = stem -> stages {
    | block | depth  |
    | layer | {1, 3} |
  }
  both  = concat(trunk, stem -> linear(2))
  return both -> linear(4) -> relu -> linear(classes)
}
