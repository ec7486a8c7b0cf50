# A residual network for tables, ours after the one of Gorishniy et al. (2021): 54 columns and 7 classes, as covertype
# has.

## Two linear layers beside a shortcut, the first batch norm before them.
block residual_mlp(hidden) {
  wide   = x -> bn -> linear(hidden) -> relu -> dropout(0.25)
  narrow = wide -> linear(x.channels)
  return x + narrow
}

space tabular_mlp(classes = 7, columns = 54) {
  x     = features(columns)
  stem  = x -> linear(128)
  trunk = stem -> stages {
    | block        | hidden | depth |
    | residual_mlp | 256    | 3     |
  }
  head  = trunk -> bn -> relu -> linear(classes)
  return head
}
