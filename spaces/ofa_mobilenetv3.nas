# Once-for-all's MobileNetV3 space (Cai et al., ICLR 2020): depth, and kernel and expansion of each layer, of five
# stages.
#
# From the paper: depths 2, 3 and 4, kernels 3, 5 and 7, expansions 3, 4 and 6: a stage has 9^2 + 9^3 + 9^4 = 7,371
# forms, so there are 7,371^5 networks, its 2 * 10^19. Widths, activations and squeezes are MobileNetV3-Large's. The
# paper searches the image's size beside this: `--with "size={128, 160, 192, 224}"`.
from "lib/mbconv.nas" import mbconv_v3

space ofa_mobilenetv3(classes = 1000, size = 224) {
  x     = image(3, size=size)
  stem  = x -> conv(3, 16, stride=2) -> bn -> hswish
  first = stem -> mbconv_v3(16, act=relu)
  trunk = first -> stages {
    | block     | kernel    | expand    | width | se   | act    | depth     | stride |
    | mbconv_v3 | {3, 5, 7} | {3, 4, 6} | 24    | -    | relu   | {2, 3, 4} | 2      |
    | mbconv_v3 | {3, 5, 7} | {3, 4, 6} | 40    | 0.25 | relu   | {2, 3, 4} | 2      |
    | mbconv_v3 | {3, 5, 7} | {3, 4, 6} | 80    | -    | hswish | {2, 3, 4} | 2      |
    | mbconv_v3 | {3, 5, 7} | {3, 4, 6} | 112   | 0.25 | hswish | {2, 3, 4} | 1      |
    | mbconv_v3 | {3, 5, 7} | {3, 4, 6} | 160   | 0.25 | hswish | {2, 3, 4} | 2      |
  }
  last  = trunk -> conv(1, 960) -> bn -> hswish -> global_avg_pool -> conv(1, 1280, bias=true)
          -> hswish
  head  = last -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 230M
}
