space functional(classes = 5) {
  x      = image(3, size=16)
  first  = x -> conv(3, 8, bias=true) -> relu -> max_pool(2, stride=2)
  second = first -> conv(3, 16, stride=2) -> bn -> leaky_relu -> dropout(p=0.3) -> flatten
  return second -> linear(classes)
}
