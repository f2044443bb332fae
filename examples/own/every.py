"""The four models of this folder in one file of recipes.

python -m bench run --recipes examples/own/every.py
python -m bench reference --recipes examples/own/every.py --seeds 5
"""

from __future__ import annotations

import digits
import quantile
import tabular
import transformer

MODULES = {module.RECIPE.name: module for module in (tabular, digits, transformer, quantile)}
RECIPES = [module.RECIPE for module in MODULES.values()]


def data(split, seed, recipe):
    """Return the arrays of ``recipe``; one whose encoding reads text is not asked."""
    return MODULES[recipe.name].data(split, seed)


def build(recipe):
    """Return the model of ``recipe``."""
    return MODULES[recipe.name].build(recipe)
