"""The command: search each target for a while, print what was done and found.

A finding is written to ``.fuzz/``; ``--replay FILE TARGET`` runs it again, without a fuzzer.
"""

from __future__ import annotations

import argparse
import hashlib
import importlib
import importlib.util
import re
import subprocess
import sys
from pathlib import Path

from tests.fuzz import TARGETS
from tests.fuzz.seeds import seeds

TOP = Path(__file__).resolve().parents[2]
FOUND = TOP / ".fuzz"
_MISSING = "The fuzzer atheris is missing: pip install -e '.[fuzz]', or atheris alone."
# A single input that takes as long, or as much memory, is a finding too.
_LIMITS = ["-timeout=10", "-rss_limit_mb=2048", "-max_len=8000"]


def search(target: str, seconds: int, corpus: Path) -> bool:
    """Search in ``target`` and report; False when there is a finding."""
    corpus.mkdir(parents=True, exist_ok=True)
    FOUND.mkdir(exist_ok=True)
    for seed in seeds(target):
        (corpus / hashlib.sha256(seed).hexdigest()[:16]).write_bytes(seed)
    flags = [f"-max_total_time={seconds}", f"-artifact_prefix={FOUND}/{target}-", *_LIMITS]
    done = subprocess.run(
        [sys.executable, "-m", "tests.fuzz.engine", target, *flags, "-print_final_stats=1", corpus],
        cwd=TOP,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        errors="replace",
    )
    if done.returncode:
        (FOUND / f"{target}.txt").write_text(done.stdout, encoding="utf-8")
        sys.stdout.write(done.stdout[-5000:])
    verdict = f"A FINDING, see {FOUND}" if done.returncode else "no finding"
    sys.stdout.write(f"{target}: {figures(done.stdout)}, {verdict}\n")
    sys.stdout.flush()
    return done.returncode == 0


def figures(output: str) -> str:
    """Return what the output of the fuzzer says about the work done."""
    runs = re.findall(r"number_of_executed_units:\s+(\d+)", output)
    covered = re.findall(r"cov: (\d+) ft: (\d+) corp: (\d+)", output)
    edges, features, inputs = covered[-1] if covered else ("?", "?", "?")
    return f"{runs[-1] if runs else '?'} runs, {edges} edges, {features} features, {inputs} inputs"


def main(argv: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz", description=__doc__)
    parser.add_argument("targets", nargs="*", metavar="TARGET", help=f"of {', '.join(TARGETS)}")
    parser.add_argument("--seconds", type=int, default=60, help="for each target (60)")
    parser.add_argument("--corpus", type=Path, default=FOUND / "corpus", help="(.fuzz/corpus)")
    parser.add_argument("--replay", type=Path, metavar="FILE", help="run this input and stop")
    options = parser.parse_args(argv)
    targets = options.targets or list(TARGETS)
    if unknown := set(targets) - set(TARGETS):
        parser.error(f"no such target: {', '.join(sorted(unknown))}")
    if options.replay:
        for target in targets:
            importlib.import_module(f"tests.fuzz.{target}").fuzz(options.replay.read_bytes())
        return 0
    if importlib.util.find_spec("atheris") is None:
        sys.stderr.write(f"{_MISSING}\n")
        return 2
    corpus = options.corpus.absolute()
    clean = [search(target, options.seconds, corpus / target) for target in targets]
    return 0 if all(clean) else 1


if __name__ == "__main__":
    sys.exit(main())
