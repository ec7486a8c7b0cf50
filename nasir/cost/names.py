"""The names of the costs and what each counts, for those who need no formula."""

CONVENTIONS = {
    "macs": "multiply-adds of convolutions and linear layers for one image, no biases",
    "params": "all trainable parameters: weights, biases, two a batch-norm channel",
    "published_macs": "macs plus the elements that global poolings read, as the released FBNets are counted",
    "published_params": "weights of convolutions and linear layers alone, as the released FBNets are counted",
}
COST_NAMES = ("macs", "params")
"""What a search can be told to minimise or bound."""
