# MobileNetV3-Large (Howard et al., 2019), as timm has it: mobilenetv3_large_100.
from "lib/mbconv.nas" import mbconv_v3

space mobilenetv3_large(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(3, 16, stride=2) -> bn -> hswish
  trunk = stem -> stages {
    | block     | kernel | expand | width | se   | act    | depth | stride |
    | mbconv_v3 | 3      | 1      | 16    | -    | relu   | 1     | 1      |
    | mbconv_v3 | 3      | 4      | 24    | -    | relu   | 1     | 2      |
    | mbconv_v3 | 3      | 3      | 24    | -    | relu   | 1     | 1      |
    | mbconv_v3 | 5      | 3      | 40    | 0.25 | relu   | 3     | 2      |
    | mbconv_v3 | 3      | 6      | 80    | -    | hswish | 1     | 2      |
    | mbconv_v3 | 3      | 2.5    | 80    | -    | hswish | 1     | 1      |
    | mbconv_v3 | 3      | 2.3    | 80    | -    | hswish | 2     | 1      |
    | mbconv_v3 | 3      | 6      | 112   | 0.25 | hswish | 2     | 1      |
    | mbconv_v3 | 5      | 6      | 160   | 0.25 | hswish | 3     | 2      |
  }
  last  = trunk -> conv(1, 960) -> bn -> hswish -> global_avg_pool -> conv(1, 1280, bias=true)
          -> hswish
  head  = last -> linear(classes)
  return head
}
