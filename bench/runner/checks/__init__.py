"""What `bench doctor` and `bench verify` measure: the noise of this machine, and a cell of another run again."""
