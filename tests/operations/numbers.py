"""What `/metrics` says, as names with their labels and values."""

from __future__ import annotations

from prometheus_client.parser import text_string_to_metric_families

Sample = tuple[str, dict[str, str], float]


def samples(text: str) -> list[Sample]:
    """Every sample: its name as a rule names it (`tocsin_accepted_total`), labels and value."""
    return [
        (one.name, dict(one.labels), one.value)
        for family in text_string_to_metric_families(text)
        for one in family.samples
    ]


def value(text: str, name: str, **labels: str) -> float:
    """The one value of this name with these labels; others it may have too."""
    [found] = [of for called, has, of in samples(text) if called == name and labels.items() <= has.items()]
    return found
