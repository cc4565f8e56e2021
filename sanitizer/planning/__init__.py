"""From what was asked to what will be done, or a reason per technique why nothing fits. Pure.

Overwriting reaches clear and never more (SP 800-88 Rev. 2, 3.1.1); purge needs a dedicated command of the drive (3.1.2);
no software destroys a medium (3.1.3). A request that nothing here satisfies ends in `NoTechnique`, never in a quieter method.

    request.py    what is asked: `PlanRequest`, and the words it may use
    disputes.py   classifications readers do not agree on, each a setting
    order.py      which technique before which, per interface and medium; which may be combined
    rules.py      why one may not be planned here: state, scope, hidden capacity, path
    choosing.py   `plan`
    plans.py      `Plan`, `Rejected`
"""

from .choosing import parameters_of, plan, plan_again
from .disputes import DISPUTES, Dispute
from .order import COMBINATIONS, PASSWORD, candidates, is_combination, is_sanitize
from .plans import Plan, Rejected
from .request import ANSWERS, AUTO, CANARIES, HOST, KEY_PATTERN, KEYS, METHODS, SCOPES, VERIFICATIONS, PlanRequest

__all__ = [
    "ANSWERS",
    "AUTO",
    "CANARIES",
    "COMBINATIONS",
    "DISPUTES",
    "HOST",
    "KEYS",
    "KEY_PATTERN",
    "METHODS",
    "PASSWORD",
    "SCOPES",
    "VERIFICATIONS",
    "Dispute",
    "Plan",
    "PlanRequest",
    "Rejected",
    "candidates",
    "is_combination",
    "is_sanitize",
    "parameters_of",
    "plan",
    "plan_again",
]
