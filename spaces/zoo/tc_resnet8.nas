# TC-ResNet8 (Choi et al., 2019), a keyword spotter: hyperconnect/TC-ResNet, without its second head. It convolves over
# 98 steps of 40 coefficients; nothing has a bias.

## Two convolutions of 9 steps beside a shortcut that a 1-tap convolution fits.
block temporal(width, stride = 2) {
  inner  = x -> conv(9, width, stride=stride, padding=same) -> bn(eps=1e-3) -> relu
  outer  = inner -> conv(9, width) -> bn(eps=1e-3)
  fitted = x -> conv(1, width, stride=stride) -> bn(eps=1e-3) -> relu
  return outer + fitted -> relu
}

space tc_resnet8(classes = 12) {
  x     = signal(40, 98)
  stem  = x -> conv(3, 16) -> bn(eps=1e-3) -> relu
  trunk = stem -> stages {
    | block    | width | stride |
    | temporal | 24    | 2      |
    | temporal | 32    | 2      |
    | temporal | 48    | 2      |
  }
  head  = trunk -> global_avg_pool -> linear(classes, bias=false)
  return head
}
