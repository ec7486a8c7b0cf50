# FBNetV2-P: the space of the networks that save parameters, P1 to P3.
#
# From the paper: images up to 288 x 288; the bound, the parameters of FBNetV2-P1. Ours: the smaller sizes; the rows are
# those of Table 2, which the paper calls its largest space; this space's own table is in a supplement that is not public.
# For the blocks and for what else is ours see fbnetv2_l.nas.
from "fbnetv2_l.nas" import mb

space fbnetv2_p(classes = 1000, sizes = {192, 224, 256, 288}) {
  x     = image(3, size=sizes)
  stem  = x -> conv(3, 16, stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block | expand            | width         | depth | stride |
    | mb    | 1                 | 12..16 by 4   | 1     | 1      |
    | mb    | 0.75..3.25 by 0.5 | 16..28 by 4   | 1     | 2      |
    | mb    | 0.75..3.25 by 0.5 | 16..28 by 4   | 2     | 1      |
    | mb    | 0.75..3.25 by 0.5 | 16..40 by 8   | 1     | 2      |
    | mb    | 0.75..3.25 by 0.5 | 16..40 by 8   | 2     | 1      |
    | mb    | 0.75..3.75 by 0.5 | 48..96 by 8   | 1     | 2      |
    | mb    | 0.75..3.75 by 0.5 | 48..96 by 8   | 2     | 1      |
    | mb    | 0.75..4.5 by 0.75 | 72..128 by 8  | 4     | 1      |
    | mb    | 0.75..4.5 by 0.75 | 112..216 by 8 | 1     | 2      |
    | mb    | 0.75..4.5 by 0.75 | 112..216 by 8 | 3     | 1      |
  }
  head  = trunk -> conv(1, 1984) -> bn -> hswish -> global_avg_pool -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to params <= 2.64M
}

search {
  epochs       = 90
  split        = 0.8
  weights      = sgd(lr=0.1, momentum=0.9, weight_decay=1e-4)
  architecture = adam(lr=0.01, weight_decay=5e-4)
  temperature  = 5.0 * exp(-0.045 * epoch)
}
