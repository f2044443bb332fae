"""Bisection: which of many commits or releases made a cell slower, decided from log-ratios of any source."""
