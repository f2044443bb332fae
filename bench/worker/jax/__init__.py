"""What the worker needs of JAX; `bench.worker.tensorflow` has the same modules."""
