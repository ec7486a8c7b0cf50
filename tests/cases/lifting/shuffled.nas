set conv(bias = true)

space shuffled(classes = 3) {
  x                = image(3, size=12)
  split_1, split_2 = x -> conv(3, 12, stride=2) -> split(2)
  branch           = split_2 -> conv(1, 6) -> hswish
  branch_2         = branch -> dwconv(3, bias=true)
  grouped          = concat(split_1, branch_2) -> shuffle(2) -> conv(3, 12, groups=3)
  slice_1          = grouped -> slice(0, 4)
  slice_1_2        = grouped -> slice(4, 8) -> global_avg_pool
  act              = slice_1 -> sigmoid -> global_avg_pool
  return concat(slice_1_2, act) -> linear(classes)
}
