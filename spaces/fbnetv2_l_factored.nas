# FBNetV2-L with the micro space factored: the same networks as fbnetv2_l.nas, with Table 3 written as sets in the op's
# arguments. Kernel, activation and squeeze-and-excite mix at the op alone, and the alternatives share the expanding
# and the projecting convolution: cheaper to search, and another supernet.
from "lib/mobile.nas" import ir

choice mb {
  ir:   ir(kernel={3, 5}, act={relu, hswish}, se={true, false}, always_expand=true)
  skip: identity  when stride == 1
}

space fbnetv2_l_factored(classes = 1000, sizes = {128, 160, 192, 224, 256}) {
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
  subject to macs <= 325M
}

search {
  epochs       = 90
  split        = 0.8
  weights      = sgd(lr=0.1, momentum=0.9, weight_decay=1e-4)
  architecture = adam(lr=0.01, weight_decay=5e-4)
  temperature  = 5.0 * exp(-0.045 * epoch)
}
