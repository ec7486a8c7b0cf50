# U-Net (Ronneberger et al., 2015) as it is mostly built since; no release is like it, so benchmarks/references/own.py
# has one. Its images are of any multiple of 16 pixels.
from "lib/unet.nas" import unet_double, unet_down, unet_up

## Segments an image: `classes` numbers for each pixel.
space unet(classes = 2, width = 64) {
  x      = image(3, size=128)
  level1 = x -> unet_double(width)
  level2 = level1 -> unet_down(2 * width)
  level3 = level2 -> unet_down(4 * width)
  level4 = level3 -> unet_down(8 * width)
  level5 = level4 -> unet_down(16 * width)
  up3    = level5 -> unet_up(8 * width, skip=level4) -> unet_up(4 * width, skip=level3)
  up1    = up3 -> unet_up(2 * width, skip=level2) -> unet_up(width, skip=level1)
  return up1 -> conv(1, classes, bias=true)
}
