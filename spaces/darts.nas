# DARTS's space (Liu et al., ICLR 2019): the operation on each edge of two cells, one that keeps the map's size and one
# that halves it. All cells of a kind are the same: `let` makes each edge one decision, with weights of its own in each.
#
# From the paper: the eight operations, `none` among them, the 14 edges of a cell of four nodes, of which each node keeps
# two, 8 cells of 16 channels for the search.
from "lib/darts.nas" import dil_conv, factorized_reduce, relu_conv, sep_conv

block max_pooled(stride = 1) {
  return x -> max_pool(3, stride=stride) -> bn
}

block avg_pooled(stride = 1) {
  return x -> avg_pool(3, stride=stride, count_padding=false) -> bn
}

block skipped(stride = 1) {
  return x -> factorized_reduce(x.channels) when stride > 1
}

block nothing(stride = 1) {
  return x -> max_pool(1, stride=stride) when stride > 1 -> zero
}

choice operation {
  none:         nothing
  max_pool_3x3: max_pooled
  avg_pool_3x3: avg_pooled
  skip_connect: skipped
  sep_conv_3x3: sep_conv(kernel=3)
  sep_conv_5x5: sep_conv(kernel=5)
  dil_conv_3x3: dil_conv(kernel=3)
  dil_conv_5x5: dil_conv(kernel=5)
}

let n02 = operation
let n12 = operation
let n03 = operation
let n13 = operation
let n23 = operation
let n04 = operation
let n14 = operation
let n24 = operation
let n34 = operation
let n05 = operation
let n15 = operation
let n25 = operation
let n35 = operation
let n45 = operation

let n3 = subsets(2, 3)
let n4 = subsets(2, 4)
let n5 = subsets(2, 5)

let r02 = operation
let r12 = operation
let r03 = operation
let r13 = operation
let r23 = operation
let r04 = operation
let r14 = operation
let r24 = operation
let r34 = operation
let r05 = operation
let r15 = operation
let r25 = operation
let r35 = operation
let r45 = operation

let r3 = subsets(2, 3)
let r4 = subsets(2, 4)
let r5 = subsets(2, 5)

## The cell that keeps a map's size.
block normal(width, previous) {
  s0 = previous -> factorized_reduce(width) when previous.height > x.height
       -> relu_conv(width) when previous.height == x.height
  s1 = x -> relu_conv(width)
  s2 = (s0 -> n02) + (s1 -> n12)
  s3 = pick(n3, s0 -> n03, s1 -> n13, s2 -> n23)
  s4 = pick(n4, s0 -> n04, s1 -> n14, s2 -> n24, s3 -> n34)
  s5 = pick(n5, s0 -> n05, s1 -> n15, s2 -> n25, s3 -> n35, s4 -> n45)
  return concat(s2, s3, s4, s5)
}

## The cell that halves it: edges from its two inputs have stride 2.
block reduction(width, previous) {
  s0 = previous -> factorized_reduce(width) when previous.height > x.height
       -> relu_conv(width) when previous.height == x.height
  s1 = x -> relu_conv(width)
  s2 = (s0 -> r02(stride=2)) + (s1 -> r12(stride=2))
  s3 = pick(r3, s0 -> r03(stride=2), s1 -> r13(stride=2), s2 -> r23)
  s4 = pick(r4, s0 -> r04(stride=2), s1 -> r14(stride=2), s2 -> r24, s3 -> r34)
  s5 = pick(r5, s0 -> r05(stride=2), s1 -> r15(stride=2), s2 -> r25, s3 -> r35, s4 -> r45)
  return concat(s2, s3, s4, s5)
}

space darts(classes = 10, cells = 2, width = 16, size = 32) {
  x     = image(3, size=size)
  stem  = x -> conv(3, 3 * width) -> bn
  trunk = stem -> stages {
    | block     | width     | depth |
    | normal    | width     | cells |
    | reduction | 2 * width | 1     |
    | normal    | 2 * width | cells |
    | reduction | 4 * width | 1     |
    | normal    | 4 * width | cells |
  }
  head  = trunk -> global_avg_pool -> linear(classes)
  return head
}
