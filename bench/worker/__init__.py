"""The process of one target: the only stage of `bench` that imports a framework."""
