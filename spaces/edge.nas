# The space `digits` without squeeze-and-excite, for a device: a bound on latency, by the table edge.json. The table is a
# formula's, so that it is the same everywhere: `nasir profile edge --runtime roofline -o edge.json`. For a device of
# yours, leave `--runtime` out.
from "digits.nas" import digits

space edge = digits() with trunk.block = {ir_k3, ir_k5_hs, skip}

objective {
  minimize cross_entropy
  subject to latency("edge.json") <= 0.2ms
}

search {
  epochs       = 40
  batch        = 64
  architecture = adam(lr=0.1)
}

train {
  epochs = 40
  batch  = 64
}
