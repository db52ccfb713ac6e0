"""The designs of dose escalation as rules on paper: from how many were treated and how many had a DLT, what to do.

`three_plus_three`, `boin` and `tite_boin` say what comes next; `isotonic` says which dose is the MTD; `bayes_monitor`
says when an expansion has to stop. A rate is compared exactly, in fractions: no decision hangs on how a number was
rounded. Every answer carries its reasons and the parameters of its design. Who is evaluable, and what is a DLT, is
decided elsewhere; going up always needs the signed review besides.
"""

from tocsin.domain.escalation import three_plus_three
from tocsin.domain.escalation.bayes_monitor import Monitor
from tocsin.domain.escalation.boin import Boin, Boundaries
from tocsin.domain.escalation.decision import Decision, Impossible, Parameters, Pending, Position, told
from tocsin.domain.escalation.isotonic import MtdSelection, select_mtd
from tocsin.domain.escalation.posterior import first_above, probability_above
from tocsin.domain.escalation.table import Here, Table, render
from tocsin.domain.escalation.tite_boin import Thresholds, TiteBoin, total_follow_up

__all__ = [
    "Boin",
    "Boundaries",
    "Decision",
    "Here",
    "Impossible",
    "Monitor",
    "MtdSelection",
    "Parameters",
    "Pending",
    "Position",
    "Table",
    "Thresholds",
    "TiteBoin",
    "first_above",
    "probability_above",
    "render",
    "select_mtd",
    "three_plus_three",
    "told",
    "total_follow_up",
]
