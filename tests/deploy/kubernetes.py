"""The manifests as `kubectl kustomize` renders them, against the schemas of Kubernetes' own API."""

import tomllib

import yaml
from rig.cases import expect
from stack import COMPOSE, ROOT, TOOLS, run, siaga_check

FOLDER = ROOT / "deploy/kubernetes"
OVERLAY = FOLDER / "overlays/trenggalek"
# The oldest that has everything that is used, `sleep` before stopping, and the newest there is.
VERSIONS = ("1.30", "1.37")
# How long what is being sent may take beside open requests, when siaga stops.
SENDING_S = 1


def rendered(folder):
    return run([TOOLS / "kubectl", "kustomize", folder])


class Manifests:
    """What an overlay renders to."""

    def __init__(self, text):
        self.all = [each for each in yaml.safe_load_all(text) if each]

    def of(self, kind):
        return {each["metadata"]["name"]: each for each in self.all if each["kind"] == kind}

    def one(self, kind, name):
        return self.of(kind)[name]


def valid(folder):
    """Every object is of its schema, with no field that it does not have."""
    for each in (FOLDER / "base", OVERLAY):
        file = folder / "manifests.yaml"
        file.write_text(rendered(each))
        for version in VERSIONS:
            tool = TOOLS / "kubernetes-validate"
            run([tool, "--strict", "--no-warn", "-k", version, file])
    return f"Kubernetes {' and '.join(VERSIONS)}"


def belongs(labels, selector):
    return selector.items() <= labels.items()


def one_piece(manifests):
    """What refers to something else refers to what is there."""
    pods = [each["spec"]["template"] for each in manifests.of("StatefulSet").values()]
    ports = {
        name: {port["name"] for port in container["ports"]}
        for name, each in manifests.of("StatefulSet").items()
        for container in each["spec"]["template"]["spec"]["containers"]
    }
    for name, each in manifests.of("StatefulSet").items():
        labels = each["spec"]["template"]["metadata"]["labels"]
        expect(belongs(labels, each["spec"]["selector"]["matchLabels"]), f"{name} chooses others")
        expect(each["spec"]["serviceName"] in manifests.of("Service"), f"{name} has no Service")
        for volume in each["spec"]["template"]["spec"]["volumes"]:
            wanted = volume.get("configMap", {}).get("name")
            expect(not wanted or wanted in manifests.of("ConfigMap"), f"{wanted} is missing")
    choosing = {"Service": "selector", "PodDisruptionBudget": "selector", "NetworkPolicy": "podSelector"}
    for kind, where in choosing.items():
        for name, each in manifests.of(kind).items():
            selector = each["spec"][where]
            selector = selector.get("matchLabels", selector)
            chosen = [pod for pod in pods if belongs(pod["metadata"]["labels"], selector)]
            expect(len(chosen) == 1, f"{kind} {name} chooses {len(chosen)} kinds of pods")
    for name, each in manifests.of("Service").items():
        for port in each["spec"]["ports"]:
            expect(any(port["targetPort"] in known for known in ports.values()), f"{name}: {port}")
    backend = manifests.one("Ingress", "siaga")["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    expect(backend["service"]["name"] in manifests.of("Service"), "the ingress leads nowhere")


def restricted(manifests):
    """Every pod is one that the `restricted` standard admits, and cannot write to its root."""
    for name, each in manifests.of("StatefulSet").items():
        pod = each["spec"]["template"]["spec"]
        rights = pod["securityContext"]
        expect(rights["runAsNonRoot"] and rights["runAsUser"] > 0, f"{name} runs as root")
        expect(rights["seccompProfile"]["type"] == "RuntimeDefault", f"{name} has no seccomp profile")
        expect(pod["automountServiceAccountToken"] is False, f"{name} has a token of the cluster")
        for container in pod["containers"]:
            rights = container["securityContext"]
            expect(rights["allowPrivilegeEscalation"] is False, f"{name} may gain rights")
            expect(rights["capabilities"] == {"drop": ["ALL"]}, f"{name} has capabilities")
            expect(rights["readOnlyRootFilesystem"] is True, f"{name} can write to its root")
            expect("memory" in container["resources"]["limits"], f"{name} has no limit of memory")
    labels = manifests.one("Namespace", "siaga")["metadata"]["labels"]
    expect(labels["pod-security.kubernetes.io/enforce"] == "restricted", "the namespace admits more")


def drain_fits(manifests):
    """A pod that stops gets the time that siaga takes, after balancers have heard of it."""
    pod = manifests.one("StatefulSet", "siaga")["spec"]["template"]["spec"]
    waits = pod["containers"][0]["lifecycle"]["preStop"]["sleep"]["seconds"]
    reference = tomllib.loads((ROOT / "config/siaga.toml").read_text())
    settings = tomllib.loads(settings_of(manifests))
    drain = settings["http"].get("drain_timeout_s", reference["http"]["drain_timeout_s"])
    given = pod["terminationGracePeriodSeconds"]
    expect(given > waits + drain + SENDING_S, f"{given} s for {waits} + {drain} + {SENDING_S}")
    kept = manifests.one("PodDisruptionBudget", "siaga")["spec"]["maxUnavailable"]
    replicas = manifests.one("StatefulSet", "siaga")["spec"]["replicas"]
    expect(replicas - kept >= 1, "a node that is emptied may leave nobody")


def settings_of(manifests):
    """The siaga.toml that the pods get."""
    volumes = manifests.one("StatefulSet", "siaga")["spec"]["template"]["spec"]["volumes"]
    name = next(each["configMap"]["name"] for each in volumes if "configMap" in each)
    return manifests.one("ConfigMap", name)["data"]["siaga.toml"]


def settings_pass(folder, manifests):
    """`siaga check` reads what the pods get, with a secret for each file that it names."""
    secrets = folder / "secrets"
    secrets.mkdir()
    for name in ("siaga_key", "redis_password", "kannel_token"):
        (secrets / name).write_bytes(b"x" * 64)
    for text in (settings_of(manifests), settings_of(Manifests(rendered(FOLDER / "base")))):
        expect("/run/secrets" in text and "/var/lib/siaga" in text, "the paths are others")
        config = folder / "kubernetes.toml"
        text = text.replace("/run/secrets", str(secrets))
        config.write_text(text.replace("/var/lib/siaga", str(folder / "state")))
        siaga_check(config)


def same_redis():
    """Redis has the same settings in both places."""
    ours = (FOLDER / "components/redis/redis.conf").read_text()
    expect(ours == (COMPOSE / "redis.conf").read_text(), "redis.conf differs from that of deploy/compose")


def monitored(folder, manifests):
    """With the component for Prometheus, the metrics of every process are found."""
    own = folder / "monitored"
    own.mkdir()
    kept = manifests.one("Service", "siaga-processes")
    file = {"resources": ["service.yaml"], "components": ["monitoring"]}
    (own / "kustomization.yaml").write_text(yaml.safe_dump(file))
    (own / "service.yaml").write_text(yaml.safe_dump(kept))
    (own / "monitoring").mkdir()
    for each in (FOLDER / "components/monitoring").iterdir():
        (own / "monitoring" / each.name).write_text(each.read_text())
    monitor = Manifests(rendered(own)).one("ServiceMonitor", "siaga")["spec"]
    labels = kept["metadata"]["labels"]
    expect(belongs(labels, monitor["selector"]["matchLabels"]), "the ServiceMonitor finds no Service")
    expect(labels[monitor["jobLabel"]] == "siaga", "the job has another name than the rules say")
    names = {port["name"] for port in kept["spec"]["ports"]}
    expect(monitor["endpoints"][0]["port"] in names, "the ServiceMonitor asks at no port")


def check(cases, folder):
    """Runs everything."""
    manifests = Manifests(rendered(OVERLAY))
    cases.run("manifests are of Kubernetes' schemas", valid, folder)
    cases.run("manifests refer to what is there", one_piece, manifests)
    cases.run("pods have no more rights than they need", restricted, manifests)
    cases.run("a pod that stops has the time for it", drain_fits, manifests)
    cases.run("siaga check reads the pods' settings", settings_pass, folder, manifests)
    cases.run("Redis is the same as in the compose file", same_redis)
    cases.run("Prometheus finds every pod", monitored, folder, manifests)
