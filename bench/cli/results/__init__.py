"""Commands that show, convert and publish finished runs."""
