# VGG-11 (Simonyan and Zisserman, 2015) with batch norm, as timm has it: vgg11_bn. Its convolutions have biases.

## A 3x3 convolution with batch norm.
block vgg(width) {
  return x -> conv(3, width, bias=true) -> bn -> relu
}

space vgg11_bn(classes = 1000, size = 224) {
  x     = image(3, size=size)
  trunk = x -> stages {
    | block                 | width | depth |
    | vgg                   | 64    | 1     |
    | max_pool(2, stride=2) | -     | 1     |
    | vgg                   | 128   | 1     |
    | max_pool(2, stride=2) | -     | 1     |
    | vgg                   | 256   | 2     |
    | max_pool(2, stride=2) | -     | 1     |
    | vgg                   | 512   | 2     |
    | max_pool(2, stride=2) | -     | 1     |
    | vgg                   | 512   | 2     |
    | max_pool(2, stride=2) | -     | 1     |
  }
  head  = trunk -> flatten -> linear(4096) -> relu -> dropout -> linear(4096) -> relu -> dropout
          -> linear(classes)
  return head
}
