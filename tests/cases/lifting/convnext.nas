set conv(bias = true)
set dwconv(bias = true)
set layer_norm(eps = 1e-06)

block convnext_block() {
  dwconv_1 = x -> dwconv(7) -> layer_norm
  wide     = dwconv_1 -> conv(1, 32) -> gelu
  narrow   = wide -> conv(1, x.channels) -> scale(init=1e-06)
  return x + narrow
}

space convnext(classes = 3) {
  x     = image(3, size=16)
  stem  = x -> conv(4, 8, stride=4)
  trunk = stem -> stages {
    | block          | depth |
    | convnext_block | 2     |
  }
  return trunk -> global_avg_pool -> linear(classes)
}
