# Blocks of U-Net (Ronneberger et al., 2015) as it is mostly built since: padded convolutions with batch norm.

## Two 3x3 convolutions.
block unet_double(width) {
  inner = x -> conv(3, width) -> bn -> relu
  return inner -> conv(3, width) -> bn -> relu
}

## A level of the way down: half the map's size.
block unet_down(width) {
  return x -> max_pool(2, stride=2) -> unet_double(width)
}

## A level of the way up: twice the map's size, beside the map of that size from the way down.
block unet_up(width, skip) {
  wide = x -> conv_transpose(2, width, stride=2, bias=true)
  return concat(skip, wide) -> unet_double(width)
}
