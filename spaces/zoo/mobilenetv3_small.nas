# MobileNetV3-Small (Howard et al., 2019), as timm has it: mobilenetv3_small_100.
from "lib/mbconv.nas" import mbconv_v3

space mobilenetv3_small(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 16, stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block     | kernel | expand | width | se   | act    | depth | stride |
    | mbconv_v3 | 3      | 1      | 16    | 0.25 | relu   | 1     | 2      |
    | mbconv_v3 | 3      | 4.5    | 24    | -    | relu   | 1     | 2      |
    | mbconv_v3 | 3      | 3.67   | 24    | -    | relu   | 1     | 1      |
    | mbconv_v3 | 5      | 4      | 40    | 0.25 | hswish | 1     | 2      |
    | mbconv_v3 | 5      | 6      | 40    | 0.25 | hswish | 2     | 1      |
    | mbconv_v3 | 5      | 3      | 48    | 0.25 | hswish | 2     | 1      |
    | mbconv_v3 | 5      | 6      | 96    | 0.25 | hswish | 3     | 2      |
  }
  last  = trunk -> conv(1, 576) -> bn -> hswish -> global_avg_pool -> conv(1, 1024, bias=true)
          -> hswish
  head  = last -> linear(classes)
  return head
}
