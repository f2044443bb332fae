"""The pipes of a worker: to its session, and to other processes that train with it."""
