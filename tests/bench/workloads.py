"""`brqos explain` on ten thousand containers: how long, and how much memory."""

import re
import statistics
import sys
from collections.abc import Iterator
from pathlib import Path

from bench.timing import Line, seconds
from brqos import process

CONTAINERS = 10_000
CONTAINERS_OF_A_POD = 4

# The process says itself how much it took: of children in general only the largest one's memory is known.
WITH_PEAK = """\
import atexit, resource, runpy, sys

unit = 1024 if sys.platform == "darwin" else 1
atexit.register(lambda: sys.stderr.write(f"peak {resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // unit} KiB"))
runpy.run_module("brqos", run_name="__main__", alter_sys=True)
"""


def explain_many(folder: Path, times: int) -> tuple[Line, Line]:
    """`brqos explain --json` over a file of Deployments: its median time, and its peak memory."""
    file = folder / "workloads.yaml"
    file.write_text("---\n".join(deployments()), encoding="utf-8")
    command = ("explain", "-f", str(file), "--kubernetes", "1.29", "--allocatable", "30Gi", "--json")
    peaks: list[float] = []

    def run() -> None:
        done = process.run([sys.executable, "-c", WITH_PEAK, *command], env={"PYTHONDONTWRITEBYTECODE": ""})
        found = re.search(r"peak (\d+) KiB", done.stderr)
        assert found is not None, done.stderr
        peaks.append(int(found[1]) / 1024)

    run()
    taken = statistics.median(seconds(run) for _ in range(times))
    detail = f"{CONTAINERS} containers, {file.stat().st_size / 1e6:.1f} MB of YAML"
    return (
        Line("explain, many containers", taken, 2, "s", detail),
        Line("explain, peak memory", max(peaks), 300, "MiB", detail),
    )


def deployments() -> Iterator[str]:
    """Manifests as a chart renders them, each with containers that differ."""
    for number in range(CONTAINERS // CONTAINERS_OF_A_POD):
        containers = "".join(_container(number, each) for each in range(CONTAINERS_OF_A_POD))
        yield f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: service-{number}
  namespace: team-{number % 40}
  labels:
    app.kubernetes.io/name: service-{number}
    app.kubernetes.io/managed-by: Helm
spec:
  replicas: {number % 3 + 1}
  selector:
    matchLabels:
      app: service-{number}
  template:
    metadata:
      labels:
        app: service-{number}
    spec:
      containers:
{containers}"""


def _container(number: int, each: int) -> str:
    request = (number * 13 + each * 7) % 900 + 16
    return f"""\
      - name: container-{each}
        image: registry.example.com/service-{number}:1.{each}
        env:
        - name: LOG_LEVEL
          value: info
        ports:
        - containerPort: 8080
          name: http
        resources:
          requests:
            cpu: {number % 900 + 100}m
            memory: {request}Mi
          limits:
            memory: {request + (number + each) % 512}Mi
"""
