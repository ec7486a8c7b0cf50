block dense(width) {
  conv_1 = x -> bn -> relu -> conv(3, width)
  return concat(x, conv_1)
}

space densenet() {
  x     = image(3, size=12)
  stem  = x -> conv(3, 8, stride=2, bias=true)
  trunk = stem -> stages {
    | block | width | depth |
    | dense | 4     | 3     |
  }
  last  = trunk -> conv(1, 4, bias=true)
  return last -> global_max_pool -> flatten
}
