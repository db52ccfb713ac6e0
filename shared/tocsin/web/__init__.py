"""The web edge that all three services share: problems, identity, strict JSON, health, metrics. Knows no medicine."""
