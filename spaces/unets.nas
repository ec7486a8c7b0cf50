# Widths of U-Nets (Ronneberger et al., 2015), one for each size of the map on the way down and up. What is searched is
# ours. Its output is a map, so a loop of one's own trains it.
from "lib/unet.nas" import unet_double, unet_down, unet_up

## Segments an image: `classes` numbers for each pixel.
space unets(classes = 2, size = 128, width = 16) {
  let width1 = {width, 2 * width, 3 * width, 4 * width}
  let width2 = {2 * width, 4 * width, 6 * width, 8 * width}
  let width3 = {4 * width, 8 * width, 12 * width, 16 * width}
  let width4 = {8 * width, 16 * width, 24 * width, 32 * width}
  let width5 = {16 * width, 32 * width, 48 * width, 64 * width}
  x      = image(3, size=size)
  level1 = x -> unet_double(width1)
  level2 = level1 -> unet_down(width2)
  level3 = level2 -> unet_down(width3)
  level4 = level3 -> unet_down(width4)
  level5 = level4 -> unet_down(width5)
  up3    = level5 -> unet_up(width4, skip=level4) -> unet_up(width3, skip=level3)
  up1    = up3 -> unet_up(width2, skip=level2) -> unet_up(width1, skip=level1)
  return up1 -> conv(1, classes, bias=true)
}

objective {
  minimize cross_entropy
  subject to macs <= 50%
}
