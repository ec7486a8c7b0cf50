# ShuffleNetV2 units, grouped widths, gated units.
block unit(kernel = 3) {
  left, right = x -> split(2)
  main        = right -> conv(1, right.channels) -> bn -> relu -> dwconv(kernel) -> bn
                -> conv(1, right.channels) -> bn -> relu
  return concat(left, main) -> shuffle(2)
}

block resnext(width, groups = 2) {
  y = x -> conv(1, width) -> bn -> relu -> conv({3, 5}, width, groups=groups) -> bn -> relu
      -> shuffle(groups) -> conv(1, x.channels) -> bn
  return x + y
}

block gated(width) {
  a, b = x -> conv(1, width * 2) -> split(2)
  return (a -> tanh) * (b -> sigmoid) -> conv(1, x.channels, groups=2)
}

space parts(classes = 4) {
  x       = image(3, size=8)
  let w = {8, 12, 16}
  stem    = x -> conv(3, w) -> bn
  r       = stem -> resnext(8..24 by 8, groups=4) -> resnext({4, 8}, groups=2)
            -> conv(3, 12, groups={1, 2}) -> conv(1, w)
  g       = r -> gated(4..12 by 4) -> gated(6)
  d       = g -> conv(1, 16) -> unit(kernel={3, 5}) -> unit(kernel={3, 5})
  p, q, s = r -> conv(1, 3..9 by 3) -> split(3)
  return (concat(p + q, s) -> conv(1, 16)) + d -> relu6 -> global_avg_pool -> linear(classes)
}
