"""The sessions: environments for the suite and the commands that run in them; what is measured is told in `bench`."""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from bench.backends import BACKENDS  # noqa: E402, likewise
from bench.plan import gpus  # noqa: E402, standard library only

nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests", "lint"]

UNUSABLE = 6  # bench.exit_codes.ExitCode.UNUSABLE, which this environment cannot import

LOCKS = ("nox", "lint", "cpu", "test", "gpu-jax", "gpu-tensorflow")


@nox.session(name="bench-cpu")
def bench_cpu(session: nox.Session) -> None:
    """Run every recipe on JAX and TensorFlow on the CPU and print the tables; arguments go to `bench run`."""
    install(session, "cpu")
    bench(session, "run", *session.posargs)


@nox.session(name="bench-gpu", venv_backend="none")
def bench_gpu(session: nox.Session) -> None:
    """Run every recipe on the GPU, framework after framework; without a GPU, say so at once and exit with 6."""
    reason = gpus.why_no_gpu()
    if reason:
        sys.stderr.write(f"{reason}\n")
        sys.exit(UNUSABLE)
    session.notify("bench-gpu-jax", session.posargs)
    session.notify("bench-gpu-tensorflow", session.posargs)


@nox.session(name="bench-gpu-jax", default=False)
def bench_gpu_jax(session: nox.Session) -> None:
    """Run every recipe with JAX on the GPU, in an environment where only JAX brings CUDA libraries."""
    bench_on_gpu(session, "jax")


@nox.session(name="bench-gpu-tensorflow", default=False)
def bench_gpu_tensorflow(session: nox.Session) -> None:
    """Run every recipe with TensorFlow on the GPU, in an environment where only it brings CUDA libraries."""
    bench_on_gpu(session, "tensorflow")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; the reviews are found as in a run, and tests that need the real ones say so where they are not."""
    install(session, "test")
    # A file's tests stay together, since they share workers, and files keep their order: the slowest have few tests and
    # would come last. Frameworks are large, so there are never many at once.
    files = ("--dist=loadfile", "--no-loadscope-reorder", "--benchmark-disable")
    side_by_side = ("--numprocesses=auto", "--maxprocesses=4", *files)
    session.run("python", "-m", "pytest", *side_by_side, *session.posargs, env=found_reviews())


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Measure the suite's own speed claims with pytest-benchmark; run nothing else meanwhile."""
    install(session, "test")
    words = ("tests/benchmarks", "--ignore=tests/benchmarks/operations", "-s")
    session.run("python", "-m", "pytest", *words, *session.posargs, env=found_reviews())


@nox.session(name="bench-compare", default=False)
def bench_compare(session: nox.Session) -> None:
    """Run the operations as pytest-benchmark tests under each backend and print its comparison, backend by backend."""
    install(session, "test")
    storage = f"file://{ROOT / 'results' / 'pytest-benchmark'}"
    saved = []
    for backend in BACKENDS:
        name = f"{datetime.now(UTC):%Y%m%dT%H%M%S}-{backend}"
        saved.append(f"*_{name}")
        session.run(
            *("python", "-m", "pytest", "tests/benchmarks/operations", "--benchmark-warmup=on", "--benchmark-quiet"),
            *("--benchmark-disable-gc", f"--benchmark-storage={storage}", f"--benchmark-save={name}"),
            *session.posargs,
            env={**found_reviews(), "KERAS_BACKEND": backend},
        )
    columns = ("--columns=min,median,iqr,rounds", "--group-by=group", "--sort=name", "--name=short")
    session.run("python", "-m", "pytest_benchmark", "--storage", storage, "compare", *saved, *columns)


@nox.session(default=False)
def calibrate(session: nox.Session) -> None:
    """Measure the gate's error rates, for hours; goes on where it stopped. Run nothing else meanwhile."""
    install(session, "cpu")
    bench(session, "calibrate", *session.posargs)


@nox.session(default=False)
def regress(session: nox.Session) -> None:
    """Say whether this checkout is slower than a revision: `nox -s regress -- --base main`."""
    install(session, "cpu")
    bench(session, "regress", *session.posargs)


@nox.session(default=False)
def versions(session: nox.Session) -> None:
    """Compare versions of a package: `nox -s versions -- keras==3.14.1 keras==3.15.1`."""
    install(session, "cpu")
    bench(session, "versions", *session.posargs)


@nox.session(default=False)
def publish(session: nox.Session) -> None:
    """Publish finished runs as tables, charts and a page: `nox -s publish -- RUN`; without one, make all anew."""
    install(session, "cpu")
    bench(session, "publish", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types, and the files that GitHub Actions reads."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    schema = ("check-jsonschema", "--builtin-schema")
    session.run(*schema, "vendor.github-workflows", ".github/workflows/ci.yml")
    session.run(*schema, "vendor.github-actions", "action.yml")


@nox.session(default=False)
def reference(session: nox.Session) -> None:
    """Measure the accuracy of every recipe over seeds, for hours; goes on where it stopped."""
    install(session, "cpu")
    bench(session, "reference", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Resolve the dependency groups anew into requirements/, with hashes and without an index."""
    for group in LOCKS:
        session.run(
            *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--upgrade"),
            *("--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header"),
            *("--group", group, "--output-file", f"requirements/{group}.txt"),
            external=True,
        )


def install(session: nox.Session, lock_name: str) -> None:
    """Install a lock file, compiled to bytecode: importing a framework from source takes seconds longer."""
    session.install("--compile-bytecode", "--require-hashes", "-r", f"requirements/{lock_name}.txt")


def bench_on_gpu(session: nox.Session, backend: str) -> None:
    """Run the main job on the GPU with one backend."""
    install(session, f"gpu-{backend}")
    bench(session, "run", "--device", "gpu", "--backend", backend, *session.posargs)


def bench(session: nox.Session, *words: str) -> None:
    """Run the suite's command line and end nox with its exit status where that is not 0."""
    python = Path(session.bin) / "python"
    done = subprocess.run([python, "-m", "bench", *words], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def found_reviews() -> dict[str, str]:
    """Return where the real reviews lie beside the checkout, if they do and no other place is named."""
    beside = ROOT.parent / "shared" / "imdb"
    return {"KERASMARK_DATA": str(beside)} if beside.is_dir() and "KERASMARK_DATA" not in os.environ else {}
