"""What is counted: requests by route, connections, and how the schema fits the code."""

from collections.abc import Callable, Iterator

from prometheus_client import CollectorRegistry, Counter, Enum, Gauge, Histogram
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from alembic_online.postgres.errors import UserError
from alembic_online.review.status import SchemaState
from src.api.ops.readiness import Seen

_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10)
_UNREACHABLE = "unreachable"


class Metrics:
    """Counts of one application; its registry is its own, so that several in one process do not mix."""

    def __init__(self) -> None:
        self.registry = CollectorRegistry()
        ProcessCollector(registry=self.registry)
        self._requests = Counter(
            "syllabus_requests", "Requests answered", ["method", "route", "status"], registry=self.registry
        )
        self._seconds = Histogram(
            "syllabus_request_seconds",
            "Until the answer was sent",
            ["method", "route"],
            buckets=_BUCKETS,
            registry=self.registry,
        )
        states = [*(state.value for state in SchemaState), _UNREACHABLE]
        self._schema = Enum("syllabus_schema", "How the database fits the code", states=states, registry=self.registry)
        self._behind = Gauge("syllabus_schema_revisions_behind", "Revisions to be applied", registry=self.registry)
        self._migrating = Gauge("syllabus_migration_running", "1 while a migration runs", registry=self.registry)
        self._children: dict[tuple[str, str, int], tuple[Counter, Histogram]] = {}

    def count(self, method: str, route: str, status: int, seconds: float) -> None:
        """One request. Routes are templates, so that there are not as many series as there are chapters."""
        key = (method, route, status)
        if (found := self._children.get(key)) is None:
            found = self._requests.labels(method, route, status), self._seconds.labels(method, route)
            self._children[key] = found
        requests, durations = found
        requests.inc()
        durations.observe(seconds)

    def note(self, seen: Seen | UserError) -> None:
        """What a look at the database has found."""
        if isinstance(seen, UserError):
            self._schema.state(_UNREACHABLE)
            return
        self._schema.state(seen.schema.state.value)
        self._behind.set(seen.schema.behind)
        self._migrating.set(seen.migration is not None)


class ConnectionCollector(Collector):
    """Connections of the pools, counted when they are asked for."""

    def __init__(self, connections: Callable[[], list[tuple[str, int, int]]]) -> None:
        """`connections` tells of each pool its name, and how many are in use and idle."""
        self._connections = connections

    def collect(self) -> Iterator[Metric]:
        """How many connections are open, and how many of them are in use."""
        family = GaugeMetricFamily("syllabus_connections", "Connections to the database", labels=["pool", "state"])
        for pool, in_use, idle in self._connections():
            family.add_metric([pool, "in use"], in_use)
            family.add_metric([pool, "idle"], idle)
        yield family
