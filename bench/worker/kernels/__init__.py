"""The kernels: parts of a model's arithmetic by hand, shared by the floors and the layers of compiled programs."""
