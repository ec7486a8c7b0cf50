"""The names of the costs and what each counts, for those who need no formula."""

CONVENTIONS = {
    "macs": "multiply-adds of convolutions and linear layers for one image, no biases",
    "params": "all trainable parameters: weights, biases, two a batch-norm channel",
}
COST_NAMES = tuple(CONVENTIONS)
