"""Grade a server and a client for Classroom 50: its runner starts this in the hand-in's folder.

The folders bin and turnchat stand beside this file. The result is in result.json.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

CHECK = Path(__file__).parent / "bin" / "turnchat-check"
ARGUMENTS = {"server": ["{port}"], "client": ["{host}", "{port}"]}


def check(role: str) -> dict[str, Any]:
    """Check one program, and return its result."""
    programs = sorted(map(str, Path().glob(f"{role}_*.py")))
    missing = ["-c", f"raise SystemExit('there is no file {role}_*.py')"]
    options = ["--exit-zero", "--no-sandbox", "--jobs", "4", "--classroom50", f"{role}.json"]
    command = [sys.executable, *(programs[:1] or missing), *ARGUMENTS[role]]
    subprocess.run([sys.executable, CHECK, role, *options, "--", *command], check=True)
    result: dict[str, Any] = json.loads(Path(f"{role}.json").read_text())
    for test in result["tests"]:
        test["test-name"] = f"{role}: {test['test-name']}"
    return result


def main() -> None:
    """Check both programs, and join the results."""
    server, client = check("server"), check("client")
    sums = {key: server[key] + client[key] for key in ("score", "max-score", "tests")}
    Path("result.json").write_text(json.dumps({**server, **sums}))


if __name__ == "__main__":
    main()
