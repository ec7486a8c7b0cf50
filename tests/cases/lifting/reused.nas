set conv(bias = true)

space reused(classes = 4) {
  x        = image(3, size=9)
  layers_0 = x -> conv(3, 8) -> relu6
  layers_1 = layers_0 -> conv(3, 8) -> relu6
  sum      = layers_0 + layers_1
  layers_2 = sum -> conv(3, 8) -> relu6
  return sum + layers_2 -> max_pool(3, stride=2) -> global_avg_pool -> linear(classes)
}
