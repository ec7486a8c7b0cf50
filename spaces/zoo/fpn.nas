# The feature pyramid (Lin et al., 2017) over a ResNet-50, as torchvision has it: FeaturePyramidNetwork over resnet50.
from "lib/residual.nas" import bottleneck

## A level of the pyramid: a stage's map at the pyramid's width, added to the level above at this map's size.
block level(above, width = 256) {
  lateral = x -> conv(1, width, bias=true)
  return lateral + (above -> resize(like=lateral))
}

## What a level gives: a 3x3 convolution smooths the sum of two sizes.
block smooth(width = 256) {
  return x -> conv(3, width, bias=true)
}

## A map for each of four sizes, the same channels in all.
space fpn(width = 256) {
  x     = image(3, size=224)
  stem  = x -> conv(7, 64, stride=2) -> bn -> relu -> max_pool(3, stride=2)
  trunk = stem -> stages {
    | name | block      | width | depth | stride |
    | c2   | bottleneck | 256   | 3     | 1      |
    | c3   | bottleneck | 512   | 4     | 2      |
    | c4   | bottleneck | 1024  | 6     | 2      |
    | c5   | bottleneck | 2048  | 3     | 2      |
  }
  m5    = trunk -> conv(1, width, bias=true)
  p5    = m5 -> smooth(width)
  m4    = trunk.c4 -> level(m5, width)
  p4    = m4 -> smooth(width)
  m3    = trunk.c3 -> level(m4, width)
  p3    = m3 -> smooth(width)
  m2    = trunk.c2 -> level(m3, width)
  p2    = m2 -> smooth(width)
  return { p2: p2, p3: p3, p4: p4, p5: p5 }
}
