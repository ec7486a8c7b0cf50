block branches(width, stride = 1, has_identity = false) {
  identity_1 = x -> bn when has_identity
  dense      = x -> conv(3, width, stride=stride) -> bn(eps=0.001, momentum=0.03)
  point      = x -> conv(1, width, stride=stride) -> bn(eps=0.001, momentum=0.03)
  add        = dense + point
  return shortcut(identity_1, add) -> relu
}

block partial() {
  split_1, split_2 = x -> conv(1, x.channels) -> bn(eps=0.001, momentum=0.03) -> swish -> split(2)
  layer_0          = split_2 -> branches(8, has_identity=true)
  layer_1          = layer_0 -> branches(8, has_identity=true)
  return concat(split_1, split_2, layer_0, layer_1) -> conv(1, x.channels)
         -> bn(eps=0.001, momentum=0.03) -> swish
}

block partial_2(width) {
  split_1, split_2 = x -> conv(1, width) -> bn(eps=0.001, momentum=0.03) -> swish -> split(2)
  layer_0          = split_2 -> branches(4, has_identity=true)
  return concat(split_1, split_2, layer_0) -> conv(1, width) -> bn(eps=0.001, momentum=0.03)
         -> swish
}

block pyramid() {
  first  = x -> conv(1, 8) -> bn(eps=0.001, momentum=0.03) -> swish
  pool   = first -> max_pool(5)
  pool_2 = pool -> max_pool(5)
  pool_3 = pool_2 -> max_pool(5)
  return concat(first, pool, pool_2, pool_3) -> conv(1, x.channels) -> bn(eps=0.001, momentum=0.03)
         -> swish
}

space detector() {
  x       = image(3, size=16)
  stem    = x -> branches(8, stride=2)
  down    = stem -> conv(3, 16, stride=2) -> bn(eps=0.001, momentum=0.03) -> swish
  trunk   = down -> stages {
    | block   |
    | partial |
    | pyramid |
  }
  up      = trunk -> upsample
  joined  = concat(up, stem)
  merge   = joined -> partial_2(8)
  heads_0 = merge -> conv(1, 14, bias=true)
  heads_1 = trunk -> conv(1, 14, bias=true)
  return { output_0: heads_0, output_1: heads_1 }
}
