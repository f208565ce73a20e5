"""Who judges in the scripts of this folder: judges of the package, and one more that only benchmarks use."""

from thfem_core.metrics.judges.spec import judges

judges.register("small-vgg", "benchmarks.judges.small_vgg")
