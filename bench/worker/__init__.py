"""The worker: the process of one target, and the only place under `bench` that imports a framework."""
