# Norms over channels, learned factors, dropout, transposed convolution, resizing and a flattened map.
block next(ratio = 4) {
  y = x -> dwconv(7, bias=true) -> layer_norm(eps=1e-6) -> conv(1, x.channels * ratio, bias=true)
      -> gelu -> conv(1, x.channels, bias=true) -> scale(0.5) -> drop_path(0.1)
  return x + y
}

space modern(classes = 4) {
  let w = 4..8 by 2
  x    = image(3, size=16x8)
  stem = x -> conv(4, w, stride=4, bias=true, padding=0) -> layer_norm(eps=1e-6)
  a    = stem -> next(ratio={2, 3}) -> rms_norm
  b    = a -> conv(3, {6, 9}, stride=2) -> bn(eps=1e-3, momentum=0.01) -> tanh -> next(ratio=2)
  c    = b -> conv_transpose(4, w, stride=2) -> bn -> mish
  d    = 0.5 * (c - a) - -2 * a
  e    = (b -> conv(1, w) -> resize(like=d, mode=bilinear)) + d
  f    = e -> {elu, zero} -> upsample(2x1) -> max_pool(2x1, stride=2x1) -> dropout(0.2)
  return f + d -> flatten -> linear(6) -> leaky_relu -> linear(classes)
}
