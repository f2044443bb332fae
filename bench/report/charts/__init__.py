"""The charts: one Vega-Lite specification of each, for pictures and for the page; they measure and decide nothing."""
