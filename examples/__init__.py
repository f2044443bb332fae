"""The examples: three scripts to read and run, tested by `tests/test_examples.py`."""
