"""The examples: three scripts to read and to run; tests run them, and nothing imports them."""
