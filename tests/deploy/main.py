"""Every check of `deploy/`: its files first, then its pieces, running."""

import json
import shutil
import sys
import tempfile
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parents[1])]

import kubernetes  # noqa: E402
import live  # noqa: E402
import watching  # noqa: E402
from rig.cases import Cases, expect  # noqa: E402
from rig.siaga import binary  # noqa: E402
from stack import COMPOSE, ROOT, TOOLS, Stack, replaced, run  # noqa: E402


def compose(stack, *more):
    """The compose file as `docker compose` reads it, beside the secrets that `up` makes."""
    names = ["compose.yaml", *more]
    files = [part for name in names for part in ("-f", stack.folder / "compose" / name)]
    return run([TOOLS / "docker-compose", *files, "config", "--format", "json"])


def compose_file(stack):
    """Nothing is published but on loopback, and no container has more rights than it needs."""
    model = json.loads(compose(stack))
    for name, service in model["services"].items():
        expect(service["read_only"], f"{name} can write to its root")
        expect(service["cap_drop"] == ["ALL"], f"{name} has capabilities")
        expect(service["security_opt"] == ["no-new-privileges:true"], f"{name} may gain rights")
        for port in service.get("ports", []):
            expect(port.get("host_ip") == "127.0.0.1", f"{name} is published: {port}")
    siagas = [model["services"][name] for name in ("siaga-1", "siaga-2")]
    volumes = [volume["source"] for each in siagas for volume in each["volumes"]]
    expect(len(volumes) == len(set(volumes)) == 2, f"they share a volume: {volumes}")
    tls = json.loads(compose(stack, "compose.tls.yaml"))["services"]["balancer"]
    published = {port["published"]: port["target"] for port in tls["ports"]}
    expect(published == {"8080": 8080, "443": 8443}, f"with TLS: {published}")
    return f"{len(model['services'])} services"


def secrets_once(folder):
    """They are made once, and nobody but their owner enters their folder."""
    ours = folder / "secrets-once"
    shutil.copytree(COMPOSE, ours, ignore=shutil.ignore_patterns("secrets"))
    made = []
    for _ in range(2):
        run([ours / "up", "--secrets"])
        made.append({each.name: each.read_bytes() for each in (ours / "secrets").iterdir()})
    expect(made[0] == made[1], "a second start makes others")
    expect(len(made[0]["siaga_key"]) == 64, "the key has another length")
    password = made[0]["redis_password"].strip()
    expect(password not in made[0]["redis_users"], "Redis is told the password itself")
    expect((ours / "secrets").stat().st_mode & 0o777 == 0o700, "others enter their folder")
    return f"{len(made[0])} secrets"


def container_file():
    """hadolint finds nothing in it."""
    folder = ROOT / "deploy/container"
    run([TOOLS / "hadolint", "--failure-threshold", "style", folder / "Containerfile"])


def unit(folder):
    """systemd reads the unit of a single machine, with the program where it is built."""
    file = folder / "siaga.service"
    changes = {"/usr/local/bin/siaga": binary()}
    file.write_text(replaced(ROOT / "deploy/siaga.service", changes))
    run(["systemd-analyze", "verify", "--man=no", file])


def scripts():
    """shellcheck finds nothing in them."""
    ours = [ROOT / "tests/deploy" / name for name in ("check", "tools", "container", "in-image")]
    run(["shellcheck", COMPOSE / "up", *ours])


def main():
    cases = Cases("deploy")
    with tempfile.TemporaryDirectory(prefix="siaga-deploy-") as folder:
        stack = Stack(folder)
        cases.run("docker compose reads the compose files", compose_file, stack)
        cases.run("secrets are made once", secrets_once, Path(folder))
        cases.run("hadolint reads the container file", container_file)
        cases.run("systemd reads the unit", unit, Path(folder))
        cases.run("shellcheck reads the scripts", scripts)
        kubernetes.check(cases, Path(folder))
        watching.check_files(cases)
        try:
            live.check(cases, stack)
            if stack.balancer:
                watching.check_names(cases, stack)
        finally:
            stack.stop()
    return cases.close()


if __name__ == "__main__":
    sys.exit(main())
