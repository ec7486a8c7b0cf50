# ConvNeXt-T (Liu et al., 2022), as timm has it: convnext_tiny.
from "lib/convnext.nas" import convnext, convnext_down

space convnext_tiny(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> conv(4, 96, stride=4, bias=true) -> layer_norm(eps=1e-6)
  trunk = stem -> stages {
    | block         | width | depth |
    | convnext      | -     | 3     |
    | convnext_down | 192   | 1     |
    | convnext      | -     | 3     |
    | convnext_down | 384   | 1     |
    | convnext      | -     | 9     |
    | convnext_down | 768   | 1     |
    | convnext      | -     | 3     |
  }
  head  = trunk -> global_avg_pool -> layer_norm(eps=1e-6) -> linear(classes)
  return head
}
