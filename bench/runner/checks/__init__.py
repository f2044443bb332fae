"""What `bench doctor` and `bench verify` try here: the noise, workers, and a cell of another run again."""
