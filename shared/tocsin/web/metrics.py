"""What a house can be measured by, in Prometheus' text form. Services hand in plain numbers; nothing here is global."""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from prometheus_client.core import Metric

BUCKETS_S = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


@dataclass(frozen=True, slots=True)
class Measure:
    """One number: `tocsin_<name>{labels}`. A counter only grows."""

    name: str
    help: str
    value: float
    kind: Literal["gauge", "counter"] = "gauge"
    labels: Mapping[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Traffic:
    """The requests of one house. Written from the event loop only."""

    requests: Counter[tuple[str, str, int]] = field(default_factory=Counter)
    problems: Counter[tuple[str, str]] = field(default_factory=Counter)
    buckets: list[int] = field(default_factory=lambda: [0] * (len(BUCKETS_S) + 1))
    seconds: float = 0.0

    def answered(self, method: str, route: str, status: int, seconds: float, problem: str | None) -> None:
        self.requests[method, route, status] += 1
        self.buckets[bisect_left(BUCKETS_S, seconds)] += 1
        self.seconds += seconds
        if problem is not None:
            self.problems[route, problem] += 1


def exposition(traffic: Traffic, measures: Iterable[Callable[[], Iterable[Measure]]]) -> bytes:
    """Everything, as Prometheus reads it."""
    # Late: start-up time, and most houses are never scraped.
    from prometheus_client.core import CollectorRegistry
    from prometheus_client.exposition import generate_latest
    from prometheus_client.registry import Collector

    class All(Collector):
        def collect(self) -> Iterator[Metric]:
            yield from _traffic(traffic)
            yield from _families(measure for each in measures for measure in each())

    registry = CollectorRegistry()
    registry.register(All())
    return generate_latest(registry)


def _traffic(traffic: Traffic) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, HistogramMetricFamily

    requests = CounterMetricFamily("tocsin_requests", "Requests answered", labels=("method", "route", "status"))
    for (method, route, status), number in sorted(traffic.requests.items()):
        requests.add_metric((method, route, str(status)), number)
    yield requests
    problems = CounterMetricFamily("tocsin_problems", "Requests refused or failed, by kind", labels=("route", "kind"))
    for key, number in sorted(traffic.problems.items()):
        problems.add_metric(key, number)
    yield problems
    seconds = HistogramMetricFamily("tocsin_request_seconds", "Time to answer")
    total, buckets = 0, []
    for limit, number in zip((*map(str, BUCKETS_S), "+Inf"), traffic.buckets, strict=True):
        total += number
        buckets.append((limit, float(total)))
    seconds.add_metric((), buckets, traffic.seconds)
    yield seconds


def _families(measures: Iterable[Measure]) -> Iterator[Metric]:
    from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily

    families: dict[str, GaugeMetricFamily | CounterMetricFamily] = {}
    for measure in measures:
        if measure.name not in families:
            family = CounterMetricFamily if measure.kind == "counter" else GaugeMetricFamily
            families[measure.name] = family(f"tocsin_{measure.name}", measure.help, labels=tuple(measure.labels))
        families[measure.name].add_metric(tuple(measure.labels.values()), measure.value)
    yield from families.values()
