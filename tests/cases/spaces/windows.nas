# Windows of every form: pairs, even kernels, paddings, dilations, on maps that are not square.
block c(width, kernel = 3, stride = 1, padding = same, dilation = 1) {
  y = x -> conv(kernel, width, stride=stride, padding=padding, dilation=dilation) -> bn -> relu
  return y
}

choice pool {
  most: max_pool(3, stride=2, padding=0, ceil=true)
  mean: avg_pool(2, stride=2, count_padding=false)
  even: max_pool(2, stride=2, padding=same)
}

space windows(classes = 12) {
  x = image(1, size=25x10)
  y = x -> conv(10x4, 8, stride=2, padding=same) -> bn -> relu -> dwconv({3, 5, 3x1})
      -> conv(1, {6, 8}) -> bn
  z = y -> c(8, kernel={2, 4}) -> c(12, kernel=3x1, padding=1x0)
      -> c(12, dilation=2, padding=centred) -> conv({1x3, 3x1}, 8)
  p = z -> pad(1, 0) -> pool -> crop(0, 1) -> c({4, 8}, stride=2x1, padding=centred)
  return p -> global_max_pool -> linear(classes)
}
