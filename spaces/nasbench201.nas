# NAS-Bench-201's space (Dong and Yang, ICLR 2020): one cell of four nodes, the operation on each of its six edges. All
# cells of a network are the same: `let` makes each edge one decision, with weights of its own in each cell.
#
# From the paper: everything; 5^6 = 15,625 networks, of 0.073 to 1.53 million parameters.
from "lib/nasbench201.nas" import halve, relu_conv_bn

choice operation {
  none:     zero
  skip:     identity
  conv_1x1: relu_conv_bn(kernel=1)
  conv_3x3: relu_conv_bn(kernel=3)
  pool_3x3: avg_pool(3, count_padding=false)
}

let edge_01 = operation
let edge_02 = operation
let edge_12 = operation
let edge_03 = operation
let edge_13 = operation
let edge_23 = operation

## The cell: each node is the sum of all nodes before it, each through its edge.
block cell() {
  node1 = x -> edge_01
  node2 = (x -> edge_02) + (node1 -> edge_12)
  node3 = (x -> edge_03) + (node1 -> edge_13) + (node2 -> edge_23)
  return node3
}

space nasbench201(classes = 10, cells = 5, size = 32) {
  x     = image(3, size=size)
  stem  = x -> conv(3, 16) -> bn
  trunk = stem -> stages {
    | block     | depth |
    | cell      | cells |
    | halve(32) | 1     |
    | cell      | cells |
    | halve(64) | 1     |
    | cell      | cells |
  }
  last  = trunk -> bn -> relu
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
