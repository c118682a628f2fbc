"""The questions of a worksheet: one on the principle of each step, to be answered in a sentence."""

from __future__ import annotations

from collections.abc import Mapping

QUESTIONS: Mapping[int, str] = {
    2: "Which row of X and which column of W meet in one cell, and what does each of them stand for?",
    3: "What would the network be able to do without an activation function?",
    4: "What does the loss say that a look at the outputs alone does not?",
    5: "What does the sign of a cell say about the output that it belongs to?",
    6: "For which inputs is the slope nearly 0, and what does that do to learning?",
    7: "Delta is the derivative of the loss by which quantity, and why is it not the error itself?",
    8: "Why Wᵀ and not W?",
    9: "Why does this step take the slope of the hidden layer, and not that of the output layer?",
    10: "Why does what came into a layer stand in the gradient of its weights?",
    11: "A bias is like a weight whose input is always the same number: which, and where does it show here?",
}
"""By number of the step; a step that computes nothing has none."""

PREDICTIONS: Mapping[int, str] = {
    4: "Predict before you compute: is each output too high (↓ is needed) or too low (↑ is needed)?",
    10: "Predict before you compute: which weights will go up (↑), which down (↓)?",
}
"""What is asked before a step is begun, by its number."""
