"""Commands that look at recipes, reviews and this machine."""
