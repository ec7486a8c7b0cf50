"""What searches are worth: the networks that they find against those that the same time finds by other means.

On three data sets each strategy searches one space under one bound with five seeds. Each network it finds is trained
from scratch three times by each of two recipes, and so are those of the other ways to spend the time:

- `random`: of random networks that use the bound up, each trained once, as many as the search took the time of, the
  best one on the inputs that searches judge networks by (in `tables`, for each search's own price);
- `designed`: the same with networks near to ones that are alike in all layers;
- `scaled`: three templates, each scaled in width to the bound;
- `dnas`: a search of the usual kind, every kernel and expansion a path of its own, at fixed widths;
- `factored`: evolution on a space of the same networks, its kernels a set of one convolution.

Every run is a line of `runs.csv`; `python -m benchmarks.quality tables` makes the tables of docs/results.md from it.
"""
