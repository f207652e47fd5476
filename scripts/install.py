"""Makes .venv and installs the pinned, hashed requirements; runs on a bare Python."""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VENV = ROOT / ".venv"
PYTHON = VENV / "bin" / "python"


def main(arguments: list[str]) -> int:
    """Install for the site, or with "dev" for its tests too; --present only looks."""
    dev = "dev" in arguments
    if "--present" in arguments:
        return 0 if present(dev=dev) else 1
    if not works():
        make()
    if not present(dev=dev):
        install(dev=dev)
    return 0


def present(*, dev: bool) -> bool:
    """Tell whether what is installed is what the files ask for; dev has the site's own in it."""
    names = ["requirements-dev.txt"] if dev else ["requirements.txt", "requirements-dev.txt"]
    return any(stamp(name).is_file() and stamp(name).read_text() == digest(name) for name in names)


def stamp(name: str) -> Path:
    """Where an installation leaves what it installed."""
    return VENV / f".installed-{name}"


def digest(name: str) -> str:
    """A hash of everything that decides what is installed."""
    files = {name, "requirements.txt"}
    pinned = b"".join((ROOT / file).read_bytes() for file in sorted(files))
    return hashlib.sha256(pinned).hexdigest()


def works() -> bool:
    """Tell whether .venv has a Python of its own that runs and has pip."""
    try:
        command = [str(PYTHON), "-c", "import pip, sys; sys.exit(sys.version_info < (3, 11))"]
        return subprocess.run(command, stderr=subprocess.DEVNULL, check=False).returncode == 0
    except OSError:
        return False


def make() -> None:
    """Make .venv anew."""
    version = f"{sys.version_info.major}.{sys.version_info.minor}"
    if not importlib.util.find_spec("venv") or not importlib.util.find_spec("ensurepip"):
        sudo = "" if os.getuid() == 0 else "sudo "
        sys.exit(f"Python's venv module is missing: {sudo}apt-get install python{version}-venv")
    say(f"Making .venv with Python {version}")
    shutil.rmtree(VENV, ignore_errors=True)
    try:
        subprocess.run([sys.executable, "-m", "venv", VENV], check=True)
    except (OSError, subprocess.CalledProcessError):
        shutil.rmtree(VENV, ignore_errors=True)
        sys.exit(f"{VENV} can't be made: look at the message above, and at the disk's free space.")


def install(*, dev: bool) -> None:
    """Install a requirements file, saying how far it is; raises SystemExit when pip fails."""
    name = "requirements-dev.txt" if dev else "requirements.txt"
    for old in VENV.glob(".installed-*"):  # one installation replaces another's versions
        old.unlink()
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    total = sum("==" in line and line[:1].isalnum() for line in lines)
    say(f"Installing {total} pinned packages from {name}")
    command = [str(PYTHON), "-m", "pip", "install", "--require-hashes", "--no-input", "--no-deps"]
    command += ["--disable-pip-version-check", "--progress-bar=off", "-r", name]
    output_lines: list[str] = []
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, cwd=ROOT
    ) as pip:
        for line in pip.stdout or ():
            output_lines.append(line)
            progress(line, output_lines, total)
    if sys.stdout.isatty():
        sys.stdout.write("\r\033[K")
    if pip.returncode:
        sys.stderr.writelines(output_lines[-25:])
        sys.exit(f"pip could not install {name}: its last lines are above. Then: make venv")
    stamp(name).write_text(digest(name))


def progress(line: str, lines: list[str], total: int) -> None:
    """Show one package in a terminal; elsewhere one line for every ten."""
    if line.startswith("Collecting "):
        collected_count = sum(one.startswith("Collecting ") for one in lines)
        package = line.split()[1].partition("==")[0]
        if sys.stdout.isatty():
            sys.stdout.write(f"\r\033[K   {min(collected_count, total)}/{total} {package}")
        elif collected_count % 10 == 0:
            sys.stdout.write(f"   {collected_count}/{total}\n")
    elif line.startswith("Installing collected"):
        sys.stdout.write("\r\033[K   unpacking" if sys.stdout.isatty() else "   unpacking\n")
    sys.stdout.flush()


def say(what: str) -> None:
    """Tell the reader which step this is."""
    print(f"-> {what}", flush=True)


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit("\nStopped; the next run goes on.")
