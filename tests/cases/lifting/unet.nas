set conv(bias = true)

space unet() {
  x        = image(1, size=9)
  down1    = x -> conv(3, 8) -> tanh
  down2    = down1 -> max_pool(2, stride=2) -> conv(3, 16) -> tanh
  up       = down2 -> conv_transpose(2, 8, stride=2, bias=true) -> pad(0, 1)
  smooth   = concat(down1, up) -> conv(3, 8)
  crop_1   = smooth -> crop(1, 1)
  resize_1 = crop_1 -> resize(mode=bilinear, like=x)
  mask     = smooth -> conv(1, 2)
  edge     = resize_1 -> conv(1, 1)
  times    = 0.5 * edge
  return { output_0: mask, output_1: times }
}
