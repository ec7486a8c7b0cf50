# Widths, depths and kernels of ConvNeXts, around ConvNeXt-T (Liu et al., 2022). What is searched is ours: each stage's
# width and depth, and each block's kernel and how far it widens. Its layer norms take their statistics under the
# widths' masks.
from "lib/convnext.nas" import convnext, convnext_down

space convnexts(classes = 1000, size = 224, width = 96) {
  x     = image(3, size=size)
  stem  = x -> conv(4, {width / 2, width}, stride=4, bias=true) -> layer_norm(eps=1e-6)
  trunk = stem -> stages {
    | block         | width                             | kernel    | ratio     | depth     |
    | convnext      | -                                 | {3, 5, 7} | {2, 3, 4} | {2, 3}    |
    | convnext_down | {width, 3 * width / 2, 2 * width} | -         | -         | 1         |
    | convnext      | -                                 | {3, 5, 7} | {2, 3, 4} | {2, 3}    |
    | convnext_down | {2 * width, 3 * width, 4 * width} | -         | -         | 1         |
    | convnext      | -                                 | {3, 5, 7} | {2, 3, 4} | {3, 6, 9} |
    | convnext_down | {4 * width, 6 * width, 8 * width} | -         | -         | 1         |
    | convnext      | -                                 | {3, 5, 7} | {2, 3, 4} | {2, 3}    |
  }
  head  = trunk -> global_avg_pool -> layer_norm(eps=1e-6) -> linear(classes)
  return head
}

objective {
  minimize cross_entropy
  subject to macs <= 50%
}
