space signals(classes = 2) {
  x      = signal(2, length=20)
  conv_1 = x -> conv(5, 8, bias=true) -> group_norm(2) -> elu -> scale
  fc1    = conv_1 -> global_max_pool -> linear(16) -> mish
  return fc1 -> linear(classes, bias=false)
}
