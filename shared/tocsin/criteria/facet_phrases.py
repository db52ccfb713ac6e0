"""The phrases of the criteria that a site's answers can affirm or deny, and the facets that they stand for.

Only the turns of phrase that come again and again, as patterns; the sentences are NCI's and are not here. The order
matters: what stands first is taken first. A phrase with no facet only limits another ("… not indicated").
"""

from __future__ import annotations

import re
from types import MappingProxyType
from typing import Final

from tocsin.domain.facets import Facet

_INDICATED: Final = r"(?: (?:indicated|initiated))?"
_LIMITING: Final = r"(?:limiting |interferes with |interfering with |affecting )?"
_NOT: Final = r" not (?:indicated|initiated)"
_MILD_EXAMPLES: Final = r"(?:topical|diet|dressing|physiotherapy|suction|nutrition|packing|oxygen|lubric)"

BARE: Final = MappingProxyType(
    {
        "mild": "mild",
        "moderate": "moderate",
        "severe": "severe",
        "severe or medically significant but not immediately life-threatening": "severe|other",
        "severe or medically significant but not immediately sight-threatening": "severe|other",
    }
)
"""Parts that say how bad the whole event is, with nothing beside it."""

PHRASES: Final = tuple(
    (re.compile(pattern), words)
    for pattern, words in (
        # The daily life of an adult, and of a child.
        (r"(?:but )?(?:not|without) " + _LIMITING + r"(?:instrumental |self-care )?ad(?:ls?)\b", "no_limits"),
        (_LIMITING + r"self-care adls?(?: or severe impact)?", "self_care_adl"),
        (r"\bsevere impact\b", "self_care_adl"),
        (_LIMITING + r"instrumental ad(?:ls?)?\b(?: or mild/moderate impact)?", "instrumental_adl"),
        (r"\bmild/moderate impact\b", "instrumental_adl"),
        # Life.
        (r"(?:but )?(?:not immediately|non) life-threatening", ""),
        (r"\blife-threatening(?: (?:\w+ (?:or \w+ )?)?(?:consequences|compromise)\b)?", "life_threatening"),
        # What was not called for.
        (r"\b(?:no|without) (?:intervention|management)" + _INDICATED, "no_intervention"),
        (r"(?:^|(?<=, )|(?<=and )|(?<=but ))intervention" + _NOT, "no_intervention"),
        (r"\b[\w-]+ intervention" + _NOT, ""),
        (r"\b(?:hospitalization|repair or revision|intubation)" + _NOT, ""),
        (r"\bmay not require hospitalization", "other"),
        (r"\b(?:with no|with or without|without|regardless of)(?: mild| associated)?(?: signs or)? symptoms", ""),
        # Interventions, the most specific first.
        (r"(?<![\w-])urgent (?:(?:operative|medical|invasive|multi-modality) )?intervention" + _INDICATED, "urgent"),
        (r"\bnon-?operative intervention" + _INDICATED, "noninvasive"),
        (
            r"(?:\b(?:elective|non-emergent|outpatient|postoperative|other) )?"
            r"(?<!-)\b(?:elective )?(?:invasive|operative|endoscopic|surgical) intervention" + _INDICATED,
            "invasive",
        ),
        (
            r"\b(?:primary repair|partial resection|complete resection or reconstruction) of injured organ/structure"
            + _INDICATED,
            "invasive",
        ),
        (
            r"\b(?:minimal, local or )?(?:noninvasive|local|topical|nonprescription) (?:intervention|therapy)"
            + _INDICATED,
            "noninvasive",
        ),
        (r"\blocal wound care" + _INDICATED, "noninvasive"),
        # Where an example of it is no drug, a site may well have called it noninvasive.
        (
            r"\b(?:non-urgent )?medical (?:intervention|management)"
            + _INDICATED
            + r" \(e\.g\.[^)]*"
            + _MILD_EXAMPLES
            + r"[^)]*(?:\)|$)",
            "noninvasive",
        ),
        (r"\b(?:initiation of )?outpatient iv hydration", "medical+other"),
        (r"\bseeks medical intervention", "other"),
        # "medical" does not say whether it was given into a vein.
        (
            r"\b(?:iv|intravenous|parenteral|systemic) (?:antibiotic, antifungal, or antiviral )?intervention"
            + _INDICATED,
            "medical+other",
        ),
        (r"\b(?:iv|intravenous) (?:iv )?(?:antibiotics|fluids|therapy|medications)" + _INDICATED, "medical+other"),
        (r"\b(?:oral|non-urgent medical|medical) intervention" + _INDICATED, "medical"),
        (r"\b(?:non-urgent )?medical management" + _INDICATED, "medical"),
        (r"(?:\b(?:non-urgent|elective|therapeutic) )?(?<![\w-])intervention" + _INDICATED, "noninvasive"),
        (r"\bintubation" + _INDICATED, "invasive+other"),
        (r"\bicu care\b", "hospitalisation+other"),
        (r"\bhospitalization(?: or prolongation of existing hospitalization)?" + _INDICATED, "hospitalisation"),
        (r"\b(?:persistent )?transfusion" + _INDICATED, "transfusion"),
        (r"\b(?:initiation of )?(?:tube feeding|tpn)\b" + _INDICATED, "tube_feeding"),
        # What was only seen, and symptoms.
        (r"\b[a-z]+(?: or [a-z]+)? (?:observations?|findings?) only\b", "observation_only"),
        (r"\bdiagnostic finding\b", "observation_only"),
        (r"\basymptomatic\b", "asymptomatic"),
        (r"\b(?:mild|minimal) (?:symptoms|pain|discomfort)\b", "mild"),
        (r"\bmoderate (?:(?:or|to) severe )?(?:symptoms|(?:abdominal |back )?pain|discomfort)\b", "moderate"),
        (r"\bsevere (?:symptoms|(?:abdominal |back )?pain|discomfort)\b", "severe"),
        (r"\bsymptomatic\b(?! (?:medication|treatment|effects|management))", "mild"),
    )
)

TREATMENT: Final = re.compile(
    r"\b(?:steroids?|corticosteroids?|analgesics?|antibiotics?|antihistamines?|antiemetics|diuretics|medications?"
    r"|narcotics?|nsaids|oxygen|dialysis|pressor|ventilatory|tracheotomy|tracheostomy|graft|repair|revision|resection"
    r"|reconstruction|debridement|transplant|stent|dilation|ablation|drainage|thoracentesis|paracentesis|catheter"
    r"|amputation|cardioversion|insulin|immunosuppressant|anticoagulation)\b.*\b(?:indicated|initiated)\b"
)
"""What is a treatment, though no question asks for it by name: denied where no intervention at all was called for."""

SOME_TREATMENT: Final = re.compile(
    r"\b(?:indicated|initiated|initiation|required|requiring|managed|treatment|therapy|use of|placement|tube)\b"
)
"""What may be a treatment: a site that answers with an intervention may mean it."""

PROCEDURES: Final = re.compile(
    r"\(e\.g\.[^)]*(?:thoracentesis|plasty|injection|cauter|stent|laser|filter|invasive|drain|suturing|radiation|clamp)"
)
"""Examples that a site may well have called invasive."""

LIST_WORDS: Final = frozenset(
    {
        Facet.OTHER,
        Facet.TRANSFUSION,
        Facet.TUBE_FEEDING,
        Facet.HOSPITALISATION,
        Facet.MEDICAL,
        Facet.INVASIVE,
        Facet.URGENT,
    }
)
"""Facets that stand in lists with commas before the "or"."""

SILENT: Final = frozenset({"and", "with", "but", "indicated", "any", "the", "a", "requiring", "required", "only", ":"})
"""Words that are left of a part and say nothing by themselves."""
