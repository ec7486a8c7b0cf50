# MLPerf Tiny's anomaly detector: mlcommons/tiny, anomaly_detection. What it cannot make again of a machine's sound, 5
# spectra of 128 bands, is an anomaly.

## A linear layer with batch norm.
block dense(width) {
  return x -> linear(width) -> bn(eps=1e-3) -> relu
}

## Makes its input again, through 8 numbers.
space autoencoder() {
  x    = features(640)
  code = x -> stages {
    | block | width | depth |
    | dense | 128   | 4     |
    | dense | 8     | 1     |
    | dense | 128   | 4     |
  }
  return code -> linear(640)
}
