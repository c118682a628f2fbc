"""Slips: wrong rules that learners really use, tried on the learner's own work.

Each is a rewrite of the right rule (table.py); search.py finds those that explain what was written.
"""

from tracer.judging.slips.search import explain
from tracer.judging.slips.table import WHOLE

MISCONCEPTIONS = frozenset(rule.slug for rule in WHOLE)

__all__ = ["MISCONCEPTIONS", "explain"]
