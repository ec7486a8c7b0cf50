# The two cells that DARTS found (Liu et al., 2019): DARTS_V2. Each reads the outputs of the two layers before it.
from "lib/darts.nas" import dil_conv, factorized_reduce, relu_conv, sep_conv

## The cell that keeps a map's size.
block normal(width, previous) {
  s0 = previous -> factorized_reduce(width) when previous.height > x.height
       -> relu_conv(width) when previous.height == x.height
  s1 = x -> relu_conv(width)
  n2 = (s0 -> sep_conv) + (s1 -> sep_conv)
  n3 = (s0 -> sep_conv) + (s1 -> sep_conv)
  n4 = (s1 -> sep_conv) + s0
  n5 = s0 + (n2 -> dil_conv)
  return concat(n2, n3, n4, n5)
}

## The cell that halves it.
block reduction(width, previous) {
  s0 = previous -> factorized_reduce(width) when previous.height > x.height
       -> relu_conv(width) when previous.height == x.height
  s1 = x -> relu_conv(width)
  n2 = (s0 -> max_pool(3, stride=2)) + (s1 -> max_pool(3, stride=2))
  n3 = n2 + (s1 -> max_pool(3, stride=2))
  n4 = (s0 -> max_pool(3, stride=2)) + n2
  n5 = n2 + (s1 -> max_pool(3, stride=2))
  return concat(n2, n3, n4, n5)
}
