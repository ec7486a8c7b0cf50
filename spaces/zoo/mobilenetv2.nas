# MobileNetV2 (Sandler et al., 2018), as timm has it: mobilenetv2_100, and by `--with width=0.35` mobilenetv2_035.
from "lib/mobile.nas" import ir

space mobilenetv2(classes = 1000, width = 1.0) {
  x     = image(3, size=224)
  stem  = x -> conv(3, round_to(8, 32 * width, 0.9), stride=2) -> bn -> relu6
  trunk = stem -> stages {
    | block         | expand | width                         | depth | stride |
    | ir(act=relu6) | 1      | round_to(8, 16 * width, 0.9)  | 1     | 1      |
    | ir(act=relu6) | 6      | round_to(8, 24 * width, 0.9)  | 2     | 2      |
    | ir(act=relu6) | 6      | round_to(8, 32 * width, 0.9)  | 3     | 2      |
    | ir(act=relu6) | 6      | round_to(8, 64 * width, 0.9)  | 4     | 2      |
    | ir(act=relu6) | 6      | round_to(8, 96 * width, 0.9)  | 3     | 1      |
    | ir(act=relu6) | 6      | round_to(8, 160 * width, 0.9) | 3     | 2      |
    | ir(act=relu6) | 6      | round_to(8, 320 * width, 0.9) | 1     | 1      |
  }
  last  = trunk -> conv(1, max(1280, round_to(8, 1280 * width, 0.9))) -> bn -> relu6
  head  = last -> global_avg_pool -> linear(classes)
  return head
}
