# GoogLeNet (Szegedy et al., 2015), as torchvision has it: googlenet, without its auxiliary heads. It has batch norm,
# and 3x3 convolutions where the paper has 5x5.

## A convolution with batch norm.
block cbr(width, kernel = 1, stride = 1) {
  return x -> conv(kernel, width, stride=stride) -> bn(eps=1e-3) -> relu
}

## A 1x1 and two 3x3 convolutions and a pooling side by side.
block inception(one, narrow2, two, narrow3, three, pool) {
  first  = x -> cbr(one)
  second = x -> cbr(narrow2) -> cbr(two, kernel=3)
  third  = x -> cbr(narrow3) -> cbr(three, kernel=3)
  fourth = x -> max_pool(3) -> cbr(pool)
  return concat(first, second, third, fourth)
}

## Half the map's size.
block smaller(kernel = 3) {
  return x -> max_pool(kernel, stride=2, padding=0, ceil=true)
}

space googlenet(classes = 1000) {
  x     = image(3, size=224)
  stem  = x -> cbr(64, kernel=7, stride=2) -> smaller -> cbr(64) -> cbr(192, kernel=3) -> smaller
  trunk = stem -> stages {
    | block             | one | narrow2 | two | narrow3 | three | pool |
    | inception         | 64  | 96      | 128 | 16      | 32    | 32   |
    | inception         | 128 | 128     | 192 | 32      | 96    | 64   |
    | smaller           | -   | -       | -   | -       | -     | -    |
    | inception         | 192 | 96      | 208 | 16      | 48    | 64   |
    | inception         | 160 | 112     | 224 | 24      | 64    | 64   |
    | inception         | 128 | 128     | 256 | 24      | 64    | 64   |
    | inception         | 112 | 144     | 288 | 32      | 64    | 64   |
    | inception         | 256 | 160     | 320 | 32      | 128   | 128  |
    | smaller(kernel=2) | -   | -       | -   | -       | -     | -    |
    | inception         | 256 | 160     | 320 | 32      | 128   | 128  |
    | inception         | 384 | 192     | 384 | 48      | 128   | 128  |
  }
  head  = trunk -> global_avg_pool -> dropout(0.2) -> linear(classes)
  return head
}
