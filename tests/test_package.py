from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import yaml  # type: ignore[import-untyped]  # it comes with meltano, without stubs
from packaging.metadata import Metadata

from ozonetel_sandbox import Sandbox

ROOT = Path(__file__).parent.parent
PACKAGES = ("tap_ozonetel_cdr", "ozonetel_sandbox")
BESIDE = {"CHANGELOG.md", "LICENSE", "README.md", "pyproject.toml", ".gitignore", "PKG-INFO"}


def loaded(name: str) -> Any:  # noqa: ANN401  # whatever the YAML holds
    """Return what a file of YAML holds."""
    return yaml.safe_load((ROOT / name).read_text("utf-8"))


def test_the_pythons_are_the_same_everywhere() -> None:
    """Classifiers, tox, the workflow, the hub's definition and ruff name the same versions."""
    project = (ROOT / "pyproject.toml").read_text("utf-8")
    versions = re.findall(r'"Programming Language :: Python :: (3\.\d+)"', project)
    assert versions[0] == "3.10"
    assert [int(v[2:]) for v in versions] == [10 + n for n in range(len(versions))]
    assert f'requires-python = ">={versions[0]}"' in project
    assert f'target-version = "py{versions[0].replace(".", "")}"' in project
    (env_list,) = re.findall(r"^env_list = \[(.*)\]$", project, re.MULTILINE)
    assert re.findall(r'"(.*?)"', env_list) == versions
    jobs = loaded(".github/workflows/test.yml")["jobs"]
    assert jobs["versions"]["strategy"]["matrix"]["python-version"] == versions
    assert loaded("hub/tap-ozonetel-cdr.yml")["supported_python_versions"] == versions
    oldest = next(s["with"] for s in jobs["lowest"]["steps"] if "setup-python" in s.get("uses", ""))
    assert oldest["python-version"] == versions[0]


def test_workflows_run_what_everybody_runs() -> None:
    """Their own commands are `.ci/run` and targets of the Makefile, so there is one truth."""
    makefile = (ROOT / "Makefile").read_text("utf-8")
    targets = re.findall(r"^([a-z-]+):", makefile, re.MULTILINE)
    for names in re.findall(r"^SLOW = (.*)$", makefile, re.MULTILINE):
        targets += [f"test-{name}" for name in names.split()]
    known = {".ci/run", "make test-package dist", *(f"make {target}" for target in targets)}
    files = sorted((ROOT / ".github/workflows").glob("*.yml"))
    jobs = [job for path in files for job in loaded(str(path))["jobs"].values()]
    commands = {s["run"] for job in jobs for s in job["steps"] if "run" in s and "name" not in s}
    assert commands <= known
    assert {".ci/run", "make test"} <= commands


@pytest.mark.parametrize(
    ("option", "given", "told"),
    [
        ("--system-certs", {}, "true,unset"),
        ("--system-certs", {"UV_SYSTEM_CERTS": "false"}, "false,unset"),
        ("--native-tls", {}, "true,true"),
        ("--native-tls", {"UV_SYSTEM_CERTS": "false"}, "false,false"),
    ],
)
def test_uv_is_told_of_the_systems_authorities(
    tmp_path: Path, option: str, given: dict[str, str], told: str
) -> None:
    """In the words of the uv that is there, unless the user has said otherwise."""
    program = tmp_path / "uv"
    program.write_text(f"#!/bin/sh\necho '  {option}  Where authorities come from'\n", "utf-8")
    program.chmod(0o755)
    more = tmp_path / "more.mk"
    more.write_text('say:\n\t@echo "$${UV_SYSTEM_CERTS-unset},$${UV_NATIVE_TLS-unset}"\n', "utf-8")
    # What the make that runs these tests hands on is not its user's.
    env = {k: v for k, v in os.environ.items() if not k.startswith(("UV_", "MAKE", "MFLAGS"))}
    said = subprocess.check_output(
        ["make", "-f", "Makefile", "-f", more, "say", f"UV={program}"], env=env | given, cwd=ROOT
    )
    assert said.decode().strip() == told


def uv(*arguments: str | Path, **environment: str) -> str:
    """Run uv, away from this project's environment, and return what it said."""
    # `uv run` names itself here.
    program = os.environ.get("UV") or shutil.which("uv")
    assert program, "these tests build and install with uv: make test-package"
    env = {k: v for k, v in os.environ.items() if k != "VIRTUAL_ENV"}
    done = subprocess.run(
        [program, *arguments],
        env=env | {"UV_PYTHON_DOWNLOADS": "never"} | environment,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        timeout=100,
        check=False,
    )
    assert done.returncode == 0, done.stdout
    return done.stdout


def git(*arguments: str | Path, cwd: Path) -> str:
    """Run git as a user without settings of its own."""
    env = {k: v for k, v in os.environ.items() if not k.startswith("GIT_")} | {
        "GIT_CONFIG_GLOBAL": os.devnull,
        "GIT_CONFIG_SYSTEM": os.devnull,
        **dict.fromkeys(("GIT_AUTHOR_NAME", "GIT_COMMITTER_NAME"), "nobody"),
        **dict.fromkeys(("GIT_AUTHOR_EMAIL", "GIT_COMMITTER_EMAIL"), "nobody@example.invalid"),
    }
    return subprocess.run(
        ["git", *arguments], cwd=cwd, env=env, check=True, capture_output=True, text=True
    ).stdout


@dataclass
class Built:
    """What `uv build` made: a source distribution, and a wheel made from that."""

    sdist: Path
    wheel: Path

    @property
    def name(self) -> str:
        """Name and version, as they begin every path in the source distribution."""
        return self.sdist.name.removesuffix(".tar.gz")

    def in_sdist(self) -> set[str]:
        """Return the files of the source distribution."""
        with tarfile.open(self.sdist) as archive:
            names = archive.getnames()
        assert all(name.startswith(f"{self.name}/") for name in names)
        return {name.removeprefix(f"{self.name}/") for name in names}

    def in_wheel(self) -> dict[str, str]:
        """Return the text of each file of the wheel."""
        with zipfile.ZipFile(self.wheel) as archive:
            return {name: archive.read(name).decode() for name in archive.namelist()}


def one(folder: Path, pattern: str) -> Path:
    """Return the only file that a pattern fits."""
    (found,) = folder.glob(pattern)
    return found


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Built:
    """Build the project as it lies here."""
    out = tmp_path_factory.mktemp("dist")
    uv("build", "--out-dir", out, ROOT)
    return Built(one(out, "*.tar.gz"), one(out, "*.whl"))


def modules() -> set[str]:
    """Return the files that make the two packages, by their paths in the repository."""
    return {
        str(path.relative_to(ROOT))
        for package in PACKAGES
        for path in (*(ROOT / package).rglob("*.py"), ROOT / package / "py.typed")
    }


@pytest.mark.slow
def test_the_wheel_holds_the_two_packages_and_nothing_else(built: Built) -> None:
    """Every module and both py.typed are there; no test, page or stray file is."""
    files = built.in_wheel()
    beside = {name for name in files if ".dist-info/" not in name}
    assert beside == modules()
    info = {name.partition(".dist-info/")[2] for name in files} - {""}
    assert info == {"METADATA", "WHEEL", "entry_points.txt", "licenses/LICENSE", "RECORD"}
    assert built.wheel.name == f"{built.name}-py3-none-any.whl"


@pytest.mark.slow
def test_the_source_distribution_holds_what_builds_the_wheel(built: Built) -> None:
    """It has the packages, and what the metadata reads; no lock file, test or workflow."""
    assert built.in_sdist() == modules() | BESIDE


@pytest.mark.slow
def test_metadata_is_whole(built: Built) -> None:
    """A package index takes it, and shows the README with its licence, Pythons and keywords."""
    text = next(t for n, t in built.in_wheel().items() if n.endswith(".dist-info/METADATA"))
    metadata = Metadata.from_email(text, validate=True)
    assert metadata.name == "tap-ozonetel-cdr"
    assert f"{metadata.name.replace('-', '_')}-{metadata.version}" == built.name
    assert metadata.license_expression == "Apache-2.0"
    assert metadata.license_files == ["LICENSE"]
    assert str(metadata.requires_python) == ">=3.10"
    assert metadata.description == (ROOT / "README.md").read_text("utf-8")
    assert metadata.description_content_type == "text/markdown"
    assert metadata.summary
    assert metadata.author
    assert "Singer" in (metadata.keywords or [])
    assert "Typing :: Typed" in (metadata.classifiers or [])
    needs = {r.name for r in metadata.requires_dist or []}
    # Its files would overwrite those of python-backoff.
    assert "backoff" not in needs
    assert "meltano" not in needs


@pytest.mark.slow
def test_the_source_distribution_builds_the_same_wheel_without_git(
    built: Built, tmp_path: Path
) -> None:
    """Who has only that file gets the same modules and the same version."""
    with tarfile.open(built.sdist) as archive:
        archive.extractall(tmp_path, filter="data")
    (tmp_path / "bin").mkdir()
    out = tmp_path / "dist"
    path = str(tmp_path / "bin")
    uv("build", "--wheel", "-p", sys.executable, "-o", out, tmp_path / built.name, PATH=path)
    again = Built(built.sdist, one(out, "*.whl"))
    assert again.wheel.name == built.wheel.name
    assert again.in_wheel() == built.in_wheel()


def version_of(folder: Path, out: Path) -> str:
    """Return the version that a build of a folder bears."""
    uv("build", "--sdist", "--out-dir", out, folder)
    return one(out, "*.tar.gz").name.removeprefix("tap_ozonetel_cdr-").removesuffix(".tar.gz")


def prepare(how: str, origin: Path, folder: Path) -> None:
    """Make a folder with the sources as somebody can have them, of a history with one tag."""
    if how.startswith("shallow clone"):
        if how.endswith("later"):
            git("commit", "--quiet", "--allow-empty", "--message", "later", cwd=origin)
        git("clone", "--quiet", "--depth", "1", origin.as_uri(), folder, cwd=origin)
        return
    git("clone", "--quiet", origin.as_uri(), folder, cwd=origin)
    if how == "a commit later":
        git("commit", "--quiet", "--allow-empty", "--message", "later", cwd=folder)
    elif how == "archive of the tag":
        git("archive", "--output", "a.tar", "--prefix", "a/", "v9.8.7", cwd=folder)
        with tarfile.open(folder / "a.tar") as archive:
            shutil.rmtree(folder)
            archive.extractall(folder.parent, filter="data")
        (folder.parent / "a").rename(folder)
    elif how == "no history":
        shutil.rmtree(folder / ".git")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("how", "expected"),
    [
        ("clone of the tag", r"9\.8\.7"),
        ("a commit later", r"9\.8\.8\.dev1"),
        ("archive of the tag", r"9\.8\.7"),
        ("shallow clone of the tag", r"9\.8\.7"),
        # The tag is not in it: nothing to count from.
        ("shallow clone a commit later", r"0\.1\.0\.dev1"),
        ("no history", r"0\.1\.0\.dev0"),
    ],
)
def test_the_version_comes_from_the_tag(tmp_path: Path, how: str, expected: str) -> None:
    """A tag sets it, a later commit is the next one's beginning, and without both it still builds.

    The sources are those that lie here, committed or not.
    """
    origin = tmp_path / "origin"
    origin.mkdir()
    files = git("ls-files", "-z", "--cached", "--others", "--exclude-standard", cwd=ROOT)
    for name in filter(None, files.split("\0")):
        if (ROOT / name).exists():
            (origin / name).parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(ROOT / name, origin / name)
    git("init", "--quiet", cwd=origin)
    git("add", "--all", cwd=origin)
    git("commit", "--quiet", "--message", "all", cwd=origin)
    git("tag", "v9.8.7", cwd=origin)
    prepare(how, origin, tmp_path / "sources")
    assert re.fullmatch(expected, version_of(tmp_path / "sources", tmp_path / "dist"))


@pytest.mark.slow
def test_the_wheel_installs_and_runs_offline(built: Built, tmp_path: Path) -> None:
    """Installed as a tool once, it installs again without a network, and both commands work."""
    for place, *options in (("first", "--quiet"), ("again", "--offline")):
        folders = {
            "UV_TOOL_DIR": str(tmp_path / place),
            "UV_TOOL_BIN_DIR": str(tmp_path / place / "bin"),
        }
        uv("tool", "install", *options, built.wheel, **folders)
    programs = tmp_path / "again" / "bin"
    assert {p.name for p in programs.iterdir()} == {"tap-ozonetel-cdr", "ozonetel-sandbox"}
    with Sandbox(records_per_day=5, rate_limit=(100, 1)) as sandbox:
        done = subprocess.run(
            [programs / "tap-ozonetel-cdr", "--config", "ENV", "--test"],
            env=sandbox.environment(),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            check=True,
        )
    assert "user_name and api_key work" in done.stderr
    about = uv("tool", "run", "--offline", "--from", built.wheel, "tap-ozonetel-cdr", "--about")
    assert "Name: tap-ozonetel-cdr" in about
    assert f"Version: {built.name.rpartition('-')[2]}" in about
