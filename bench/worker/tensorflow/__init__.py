"""What the worker needs of TensorFlow; `bench.worker.jax` has the same modules."""
