"""Other people's templates through the check: no crash, and every finding judged, one by one.

The templates are AWS's own: the snapshots of deployed integration tests in the AWS Solutions Constructs, and
the templates that cfn-lint is tested with. Fetched from npm and PyPI by pinned hash, never kept here.
`foreign.json` keeps our judgement of each finding: "true" (the template has that fault), "false" (we err).
"""

from __future__ import annotations

import hashlib
import json
import subprocess
import sys
import tarfile
import tempfile
from collections import Counter
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

from lambda_patterns.errors import LambdaPatternsError
from lambda_patterns.model.assembly import read
from lambda_patterns.model.deployment import Settings
from lambda_patterns.rules.engine import check

if TYPE_CHECKING:
    from collections.abc import Iterator

JUDGED = Path(__file__).with_suffix(".json")
DAY = date(2026, 11, 24)
SCOPE = "@aws-solutions-constructs/aws-"
# fmt: off
NPM = {
    "apigateway-lambda@2.92.1": "ad4f109b1f71adddd041faa327c41a2046145769bfc620fe76d5bb79ce36f145",
    "dynamodbstreams-lambda@2.101.0": "8bdd7943bf3a5b1e7cfc8fe0357d9e29ab79562221173ea3f31424942197c8e9",
    "eventbridge-lambda@2.103.0": "9fa402a246064fdd7c6b57629c4ca8b00375f7770ca83c7325fec3ba9a31d1a7",
    "eventbridge-sqs@2.103.0": "d3fd6251ab40788a78922828d1d6d207fd766eb359aa75975becf3c856b44977",
    "kinesisstreams-lambda@2.76.0": "0c13511617881ef8e3396eb86c83d1ed5dce194cba23c61e7e17a28a30ce8cd7",
    "lambda-bedrockinferenceprofile@2.104.0": "8c04f1a020fadbae5ee3ecf28e5f8a30d84669ee3ca21ca6bdf61a2f76faeed7",  # noqa: E501  # a hash is not broken
    "lambda-dynamodb@2.101.0": "81572cd50fbc5f5c4279325097ff3bfd02069dec33bc505bb74a84ad4f2e8c02",
    "lambda-elasticsearch-kibana@2.104.0": "e2482fd785d21e5608ffa213fd567bb9e0dfb95df950e8d6cf29a54e958247d3",
    "lambda-opensearch@2.69.0": "42f7c1b467c17f81b15ec2ad7ca668b7acdb148426269353ce2bc023b288735e",
    "lambda-s3@2.56.0": "8d8de64bba9eb6af752037e57f08a293b0f49cd1954ca518cc8e5eb22b045aeb",
    "lambda-secretsmanager@2.92.1": "d5a5cfb511462d5afe5ea7d8ce999834db7045ad52e64a0579de6ee2d56753a4",
    "lambda-sns@2.97.0": "b1767a6de485b0818fd9edabe5594141e5e339cbb849a37ba9b6de7a4bb1c4d9",
    "lambda-sqs@2.86.0": "b8e2c1e2affbaaf9e1b2cf70e7babc7ad5d1a6cc541dfcbdc832809fdc339081",
    "lambda-sqs-lambda@2.103.0": "2ac28991bafe5b9fcf56681517b497f5c1b0eaa513b3ad0d60836090899ecb34",
    "lambda-stepfunctions@2.56.0": "0f4fe4cc978c3e12786a512f9a7f5e01d898e8b92d4b491fa6d3570a33177395",
    "openapigateway-lambda@2.103.0": "6db14ee7f947c1745f25b1acd58c5dff107551cb4a3f7b97ead4a71767fbfe9c",
    "s3-lambda@2.96.0": "184c3c6fe203d5b9eff56d3aed054dafd4ff0824e6779bc965eadfa1bcad3cd8",
    "sns-lambda@2.103.0": "15e40162c6de8202c0d825df92642d5c9b3c0d8160ff5a4968aeaee57a7c7b23",
    "sns-sqs@2.56.0": "aa352d4e76cc82bbb350dc3b419a3bcfc3e93ed8ca8e907dcf1d953d8f0ab27d",
    "sqs-lambda@2.104.0": "944ec104e4e59b6ca4541388c3499b591b4cf3f5fd6f4107c0ad221621bfa641",
}
# fmt: on
PYPI = {"cfn-lint==1.58.0": "ba02cd7f7e06c8bc160936051a03ec931af52943fcc9cc72ad2748caa0f2a103"}
# of cfn-lint's templates those that are meant to be sound; the others show that nothing crashes
SOUND = ("good", "public", "quickstart", "integration")


@dataclass(frozen=True, order=True)
class Seen:
    """One finding on a foreign template; `judged` in the file adds a verdict and its reason."""

    rule: str
    severity: str
    source: str
    template: str
    logical_id: str
    what: str

    @property
    def key(self) -> str:
        """The place, without the wording."""
        return f"{self.rule} {self.source} {self.template} {self.logical_id}"


def _fetch(folder: Path) -> Iterator[tuple[str, Path]]:
    """Download each package, prove its hash, unpack it; give its name and folder."""
    for name, digest in (NPM | PYPI).items():
        place = folder / name.replace("@", "-").replace("==", "-")
        place.mkdir()
        pack = ["npm", "pack", "--silent", SCOPE + name, "--pack-destination", place]
        pip = [
            sys.executable,
            "-m",
            "pip",
            "download",
            "-q",
            "--no-deps",
            "--no-binary=:all:",
            name,
            "-d",
            place,
        ]
        subprocess.run(pack if name in NPM else pip, check=True, stdout=subprocess.DEVNULL)
        (archive,) = place.iterdir()
        assert hashlib.sha256(archive.read_bytes()).hexdigest() == digest, f"{name} is not what it was"
        with tarfile.open(archive) as opened:
            opened.extractall(place, filter="data")
        yield name, place


def _inputs(name: str, place: Path) -> Iterator[tuple[str, Path, bool]]:
    """Give (name of the template, what to read, whether it is meant to be sound)."""
    if name in NPM:
        for manifest in sorted(place.glob("package/test/*.snapshot/manifest.json")):
            yield manifest.parent.name.removesuffix(".js.snapshot"), manifest.parent, True
        return
    root = next(place.glob("cfn_lint-*/test/fixtures/templates"))
    for path in sorted(root.rglob("*")):
        if path.suffix in {".yaml", ".yml", ".json", ".template"}:
            relative = path.relative_to(root)
            yield str(relative), path, relative.parts[0] in SOUND


@dataclass(slots=True)
class Outcome:
    """What became of all templates."""

    read: int
    refused: list[str]
    crashed: list[str]
    seen: set[Seen]


def _check_all(folder: Path) -> Outcome:
    outcome = Outcome(0, [], [], set())
    for name, place in _fetch(folder):
        for title, path, sound in _inputs(name, place):
            try:
                report = check(read(path), Settings(today=DAY))
            except LambdaPatternsError as error:
                outcome.refused.append(f"{'sound' if sound else 'faulty'} {name} {title}: {error}")
                continue
            except Exception as error:  # noqa: BLE001  # a crash is what this looks for
                outcome.crashed.append(f"{name} {title}: {error!r}")
                continue
            outcome.read += 1
            for found in report.findings:
                if found.rule == "rule-crashed":
                    outcome.crashed.append(f"{name} {title}: {found.message}")
                elif sound:
                    at = found.resource or ""
                    outcome.seen.add(Seen(found.rule, found.severity, name, title, at, found.message))
    return outcome


def main() -> int:
    """Check them all; print counts and what is not judged yet. 1 if one crashed or a finding is false."""
    console = Console(soft_wrap=True)
    judged: dict[str, dict[str, str]] = json.loads(JUDGED.read_text()) if JUDGED.exists() else {}
    with tempfile.TemporaryDirectory() as folder:
        outcome = _check_all(Path(folder))
    title = f"{outcome.read} templates of others read, {len(outcome.refused)} refused as no templates"
    table = Table(title=title)
    for column in ("rule", "severity", "findings", "judged true", "judged false", "not judged"):
        table.add_column(column, justify="left" if column in {"rule", "severity"} else "right")
    for (rule, severity), count in sorted(Counter((one.rule, one.severity) for one in outcome.seen).items()):
        verdicts = Counter(
            judged.get(one.key, {}).get("verdict", "") for one in outcome.seen if one.rule == rule
        )
        table.add_row(rule, severity, *map(str, (count, verdicts["true"], verdicts["false"], verdicts[""])))
    console.print(table)
    keys = {one.key for one in outcome.seen}
    for heading, lines in {
        "refused": outcome.refused,
        "crashed": outcome.crashed,
        "not judged": [f"{one.key}: {one.what}" for one in sorted(outcome.seen) if one.key not in judged],
        "judged, and not found any more": sorted(set(judged) - keys),
    }.items():
        for line in lines:
            console.print(f"{heading}: {line}")
    false = [key for key, verdict in judged.items() if verdict["verdict"] == "false" and key in keys]
    return 1 if outcome.crashed or false else 0


if __name__ == "__main__":
    sys.exit(main())
