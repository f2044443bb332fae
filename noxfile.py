"""The nox sessions: locked environments, and the commands that run in them.

A session runs on nox's own Python; `-P 3.13` chooses another, with an environment of its own.
"""

from __future__ import annotations

import os
import subprocess
import sys
from datetime import UTC, datetime
from pathlib import Path
from tempfile import TemporaryDirectory

import nox

ROOT = Path(__file__).resolve().parent
sys.path.insert(0, str(ROOT))

from bench.backends import BACKENDS  # noqa: E402, standard library only, as the next two
from bench.exit_codes import ExitCode  # noqa: E402
from bench.plan import gpus  # noqa: E402

nox.options.default_venv_backend = "uv"
nox.options.reuse_existing_virtualenvs = True
nox.options.sessions = ["tests", "lint"]
nox.options.error_on_missing_interpreters = True  # or a Python that is not found would pass

LOCKS = ("nox", "build", "lint", "cpu", "cluster", "serving", "test", "gpu-jax", "gpu-tensorflow")
BESIDE_CPU = ("cluster", "serving")  # installed beside it


@nox.session(name="bench-cpu")
def bench_cpu(session: nox.Session) -> None:
    """Benchmark on the CPU: every recipe on JAX and TensorFlow. Arguments go to `bench run`."""
    install(session, "cpu")
    if "--on" in session.posargs:
        install(session, "cluster")
    if "serving" in session.posargs:
        install(session, "serving")
    bench(session, "run", *session.posargs)


@nox.session(name="bench-load", default=False)
def bench_load(session: nox.Session) -> None:
    """Ask processes that serve a model at growing load: `-- dense`. Arguments go to `bench load`."""
    install(session, "cpu")
    install(session, "serving")
    bench(session, "load", *session.posargs)


@nox.session(name="bench-gpu", venv_backend="none")
def bench_gpu(session: nox.Session) -> None:
    """Benchmark on the GPU, one framework after the other; without a GPU, exit with status 6."""
    reason = gpus.why_no_gpu()
    if reason:
        sys.stderr.write(f"{reason}\n")
        sys.exit(ExitCode.UNUSABLE)
    session.notify("bench-gpu-jax", session.posargs)
    session.notify("bench-gpu-tensorflow", session.posargs)


@nox.session(name="doctor-gpu", venv_backend="none", default=False)
def doctor_gpu(session: nox.Session) -> None:
    """Install both environments of bench-gpu and say what each finds on this machine; no GPU is needed for that."""
    for backend in ("jax", "tensorflow"):
        session.notify(f"bench-gpu-{backend}", ["doctor", "--start", *session.posargs])


@nox.session(name="bench-gpu-jax", default=False)
def bench_gpu_jax(session: nox.Session) -> None:
    """Benchmark JAX on the GPU, in an environment with CUDA libraries for JAX alone."""
    bench_on_gpu(session, "jax")


@nox.session(name="bench-gpu-tensorflow", default=False)
def bench_gpu_tensorflow(session: nox.Session) -> None:
    """Benchmark TensorFlow on the GPU, in an environment with CUDA libraries for TensorFlow alone."""
    bench_on_gpu(session, "tensorflow")


@nox.session
def tests(session: nox.Session) -> None:
    """Run the tests; those that need the real reviews are skipped without them."""
    install(session, "test")
    # The tests of a file share workers, so they stay together. Files keep the order of tests/conftest.py: by their
    # number of tests the slowest would come last. Frameworks need much memory, hence at most four processes.
    files = ("--dist=loadfile", "--no-loadscope-reorder", "--benchmark-disable")
    side_by_side = ("--numprocesses=auto", "--maxprocesses=4", *files)
    # Hundreds of processes are started: bytecode is kept, also where the surroundings say otherwise.
    env = {**found_reviews(), "PYTHONDONTWRITEBYTECODE": ""}
    session.run("python", "-m", "pytest", *side_by_side, *session.posargs, env=env)


@nox.session
def benchmarks(session: nox.Session) -> None:
    """Check the suite's own speed claims with pytest-benchmark. Run nothing else meanwhile."""
    install(session, "test")
    words = ("tests/benchmarks", "--ignore=tests/benchmarks/operations", "-s")
    session.run("python", "-m", "pytest", *words, *session.posargs, env=found_reviews())


@nox.session(name="text-encoding", default=False)
def text_encoding(session: nox.Session) -> None:
    """Compare the ways to encode text and write results/text-encoding.md. Run nothing else meanwhile."""
    install(session, "test")
    # No dependencies, pyarrow apart, so in no lock: their newest releases are weighed.
    session.install("polars", "tokenizers", "numba")
    session.run(
        "python", "-m", "tests.benchmarks.text_encoding", env={**found_reviews(), "KERAS_BACKEND": "tensorflow"}
    )


NAMES = (
    "import sys, pathlib; from bench.cli import arguments; "
    "found = arguments.recipes(None, *map(pathlib.Path, sys.argv[1:])); print(*(recipe.name for recipe in found))"
)
# What a reader of the comparison must know.
DIFFERENCE = (
    "These are whole calls by pytest-benchmark's own clock, a process of one backend at a time. `bench run` alternates "
    "blocks of both beside a hand-written floor, takes the fixed cost of `fit` out, and says how sure it is."
)


@nox.session(name="bench-compare", default=False)
def bench_compare(session: nox.Session) -> None:
    """Time calls of the operations with pytest-benchmark, the backends in turns: `-- --recipe dense -k train`."""
    install(session, "test")
    session.log(DIFFERENCE)
    storage = f"file://{ROOT / 'results' / 'pytest-benchmark'}"
    begun = f"{datetime.now(UTC):%Y%m%dT%H%M%S}"
    recipes, others = chosen_recipes(session)
    saved = []
    for recipe in recipes:
        # One after the other, then the other way round: what drifts shows as a difference of a backend from itself.
        for number, backend in enumerate([*BACKENDS, *reversed(BACKENDS)]):
            name = f"{begun}-{recipe}-{backend}-{1 + number // len(BACKENDS)}"
            saved.append(f"*_{name}")
            session.run(
                *("python", "-m", "pytest", "tests/benchmarks/operations", "--recipe", recipe, "--benchmark-quiet"),
                *("--benchmark-warmup=on", "--benchmark-disable-gc", "--benchmark-max-time=0.25"),
                *(f"--benchmark-storage={storage}", f"--benchmark-save={name}"),
                *("-W", "ignore:Not saving anything"),
                *others,
                env={**found_reviews(), "KERAS_BACKEND": backend},
                success_codes=[0, 5],  # 5: nothing of this recipe was chosen
            )
    columns = ("--columns=min,median,iqr,rounds", "--group-by=group", "--sort=name", "--name=short")
    session.run("python", "-m", "pytest_benchmark", "--storage", storage, "compare", *saved, *columns)
    session.log(DIFFERENCE)


@nox.session(default=False)
def calibrate(session: nox.Session) -> None:
    """Measure the gate's error rates, for hours; resumes. Run nothing else meanwhile."""
    install(session, "cpu")
    bench(session, "calibrate", *session.posargs)


@nox.session(default=False)
def regress(session: nox.Session) -> None:
    """Check whether this checkout is slower than a revision: `nox -s regress -- --base main`."""
    install(session, "cpu")
    bench(session, "regress", *session.posargs)


@nox.session(default=False)
def versions(session: nox.Session) -> None:
    """Compare versions of a package, or whole locks: `nox -s versions -- keras==3.14.1 keras==3.15.1`."""
    install(session, "cpu")
    bench(session, "versions", *session.posargs)


@nox.session(default=False)
def publish(session: nox.Session) -> None:
    """Publish finished runs as tables, charts and a web page: `nox -s publish -- RUN`."""
    install(session, "cpu")
    bench(session, "publish", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Check style, types and the GitHub Actions files."""
    install(session, "lint")
    session.run("ruff", "check", ".")
    session.run("ruff", "format", "--check", ".")
    session.run("mypy")
    workflows = [*(ROOT / ".github" / "workflows").glob("*.yml"), *(ROOT / "kerasmark" / "templates").glob("*.yml")]
    schema = ("check-jsonschema", "--builtin-schema")
    session.run(*schema, "vendor.github-workflows", *map(str, workflows))
    session.run(*schema, "vendor.github-actions", "action.yml")


@nox.session(reuse_venv=False)
def wheel(session: nox.Session) -> None:
    """Build the wheel into dist/, install it into an empty environment, and use it from another folder."""
    built = build_wheel(session)
    session.install("--constraint", "requirements/cpu.txt", f"kerasmark[cpu] @ {built.as_uri()}")
    chosen = ("--recipes", "kerasmark_recipes.py", "--recipe", "groups", "dense")
    with TemporaryDirectory() as elsewhere, session.chdir(elsewhere):
        session.run("python", "-c", IMPORTS_NOTHING_ELSE)
        session.run("kerasmark", "init")
        session.run("kerasmark", "run", *chosen, "--profile", "smoke", "--data", "synthetic")
        session.run("python", "-c", "import kerasmark; print(kerasmark.compare('jax', 'tensorflow')['run_id'])")


# In an environment with the wheel no package of the suite's has a name of its own.
IMPORTS_NOTHING_ELSE = """
import importlib.util, sys
import kerasmark
assert not [name for name in ("bench", "datasets", "models") if importlib.util.find_spec(name)]
assert kerasmark.Recipe.__module__ == "models.recipes"
assert not {"keras", "bench", "datasets", "models"} & sys.modules.keys()
"""


@nox.session(default=False)
def faults(session: nox.Session) -> None:
    """Kill processes at random instants of runs, and let a parent run for an hour; resumes. Takes about two hours."""
    install(session, "test")
    session.run("python", "-m", "tests.faults", *session.posargs, env=found_reviews())


@nox.session(default=False)
def fuzz(session: nox.Session) -> None:
    """Fuzz one reader with coverage guidance: `nox -s fuzz -- records --minutes 10`."""
    install(session, "test")
    session.install("--no-deps", "atheris==3.0.0")  # not locked: it is not built for every Python
    session.run("python", "-m", "tests.fuzz", *session.posargs)


@nox.session(default=False)
def audit(session: nox.Session) -> None:
    """Check the locked packages for known vulnerabilities. It asks PyPI, so it is no part of the tests."""
    session.install("pip-audit==2.10.1")
    for name in LOCKS:
        session.run("pip-audit", "--require-hashes", "--disable-pip", "-r", f"requirements/{name}.txt")


@nox.session(default=False)
def reference(session: nox.Session) -> None:
    """Train every recipe over many seeds, for hours; resumes."""
    install(session, "cpu")
    bench(session, "reference", *session.posargs)


@nox.session(default=False)
def lock(session: nox.Session) -> None:
    """Lock the dependency groups again into requirements/: for each Python the newest that runs there."""
    # A package whose newest release wants a newer Python than the oldest one here gets a line for each, with a marker.
    for group in LOCKS:
        session.run(
            *("uv", "pip", "compile", "--quiet", "--universal", "--python-version", "3.11", "--upgrade"),
            *("--generate-hashes", "--no-emit-index-url", "--no-annotate", "--no-header"),
            *("--constraint", "requirements/cpu.txt") if group in BESIDE_CPU else (),
            *("--group", group, "--output-file", f"requirements/{group}.txt"),
            external=True,
        )


def install(session: nox.Session, lock_name: str) -> None:
    """Install a lock file, compiled to bytecode: importing an uncompiled framework takes seconds longer."""
    session.install("--compile-bytecode", "--require-hashes", "-r", f"requirements/{lock_name}.txt")


def build_wheel(session: nox.Session) -> Path:
    """Build the wheel with the locked build backend and return it."""
    locked = ("--build-constraints", "requirements/build.txt", "--require-hashes")
    session.run("uv", "build", "--quiet", "--wheel", "--clear", *locked, external=True)
    (built,) = (ROOT / "dist").glob("*.whl")
    return built


def bench_on_gpu(session: nox.Session, backend: str) -> None:
    """Run the benchmark on the GPU with one backend, or `bench doctor` in its environment."""
    install(session, f"gpu-{backend}")
    words = session.posargs
    bench(session, *(words if words[:1] == ["doctor"] else ("run", "--device", "gpu", "--backend", backend, *words)))


def bench(session: nox.Session, *words: str) -> None:
    """Run the command line and exit with its status unless that is 0."""
    python = Path(session.bin) / "python"
    done = subprocess.run([python, "-m", "bench", *words], cwd=ROOT, check=False)
    if done.returncode:
        sys.exit(done.returncode)


def chosen_recipes(session: nox.Session) -> tuple[list[str], list[str]]:
    """Return the recipes behind `--recipe`, or all of the file behind `--recipes` or of the suite; and other words."""
    words = list(session.posargs)
    if "--recipe" not in words:
        file = words[words.index("--recipes") + 1 :][:1] if "--recipes" in words else []
        known = session.run("python", "-c", NAMES, *file, silent=True)
        return str(known).split(), words
    begin = words.index("--recipe")
    end = next((place for place in range(begin + 1, len(words)) if words[place].startswith("-")), len(words))
    return words[begin + 1 : end], words[:begin] + words[end:]


def found_reviews() -> dict[str, str]:
    """Return KERASMARK_DATA for reviews beside the checkout, unless it is set."""
    beside = ROOT.parent / "shared" / "imdb"
    return {"KERASMARK_DATA": str(beside)} if beside.is_dir() and "KERASMARK_DATA" not in os.environ else {}
