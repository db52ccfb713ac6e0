"""The carrier: one port, two true implementations (embedded log, Apache Kafka), one contract suite."""

from tocsin.bus.open import open_bus

__all__ = ["open_bus"]
