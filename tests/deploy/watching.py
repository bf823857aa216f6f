"""Alert rules and dashboard: by promtool, by Grafana's own types, and against what siaga counts."""

import json
import re
import tempfile
from pathlib import Path

import yaml
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import Dashboard
from rig.cases import expect, until
from stack import ROOT, get, run

RULES = ROOT / "deploy/prometheus/alerts.yaml"
RULES_TEST = ROOT / "deploy/prometheus/alerts.test.yaml"
SCRAPING = ROOT / "deploy/prometheus/prometheus.yaml"
DASHBOARD = ROOT / "deploy/grafana/siaga.json"
RUNBOOK = ROOT / "docs/runbook.md"
# What no test can bring about in a healthy siaga: its name stands in the program, and that is all
# that is known of it here.
NEVER_SEEN = {"siaga_panics", "siaga_connections_refused"}
# Messages that are answered and paged for, and that are kept silent on.
PROVOKING = [("%2B628123000888", "TOLONG+kebakaran+Masaran"), ("BPBD", "promo")]
# What Prometheus makes of one metric.
SUFFIXES = ("_total", "_bucket", "_count", "_sum")


def alerts():
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels():
    """Every panel with queries."""
    return [each for each in json.loads(DASHBOARD.read_text())["panels"] if each["type"] != "row"]


def queries():
    """Every query of the dashboard, with Grafana's variables as it would fill them in."""
    board = json.loads(DASHBOARD.read_text())
    found = [target["expr"] for panel in panels() for target in panel["targets"]]
    found += [each["expr"] for each in board["annotations"]["list"]]
    filled = {"$__rate_interval": "1m", "$instance": ".*", "$gateway": ".*"}
    for name, value in filled.items():
        found = [query.replace(name, value) for query in found]
    expect(not any("$" in query for query in found), "a variable that is not known")
    return found


def rules_hold():
    """promtool reads the rules and the settings, and each rule does what its tests say."""
    run(["promtool", "check", "rules", RULES])
    run(["promtool", "check", "config", SCRAPING])
    run(["promtool", "test", "rules", RULES_TEST], cwd=RULES.parent)
    return f"{len(alerts())} rules"


def rules_are_tested():
    """Each rule has a test in which it comes, and one in which it stays away."""
    tested = {}
    for test in yaml.safe_load(RULES_TEST.read_text())["tests"]:
        for each in test["alert_rule_test"]:
            tested.setdefault(each["alertname"], set()).add(bool(each["exp_alerts"]))
    for rule in alerts():
        expect(tested.get(rule["alert"]) == {True, False}, f"{rule['alert']}: {tested.get(rule['alert'])}")
    expect(len(tested) == len(alerts()), f"tests of no rule: {sorted(tested)}")


def rules_are_explained():
    """Each rule says how bad it is and what it means, and the runbook says what to do."""
    headings = re.findall(r"^### (\w+)$", RUNBOOK.read_text(), re.M)
    expect(headings == [rule["alert"] for rule in alerts()], f"docs/runbook.md has {headings}")
    for rule in alerts():
        name, notes = rule["alert"], rule["annotations"]
        expect(rule["labels"]["severity"] in ("critical", "warning"), f"{name}: how bad is it?")
        expect("for" in rule and notes["summary"], f"{name} says too little")
        expect(notes["runbook"] == f"docs/runbook.md#{name.lower()}", f"{name}: {notes['runbook']}")


def queries_are_read():
    """promtool reads each query of the dashboard, as a rule."""
    rules = [{"record": f"query:{number}", "expr": query} for number, query in enumerate(queries())]
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "queries.yaml"
        file.write_text(yaml.safe_dump({"groups": [{"name": "queries", "rules": rules}]}))
        run(["promtool", "check", "rules", "--lint=none", file])
    return f"{len(rules)} queries"


def dashboard_is_grafanas():
    """Grafana's own types take every key of it: what they do not know would be lost."""
    ours = json.loads(DASHBOARD.read_text())
    theirs = json.loads(JSONEncoder().encode(Dashboard.from_json(ours)))
    lost = list(differences(ours, theirs, ""))
    expect(not lost, f"Grafana does not know {lost}")
    ids = [each["id"] for each in ours["panels"]]
    expect(len(ids) == len(set(ids)), "two panels have one id")
    for panel in panels():
        place = panel["gridPos"]
        expect(place["x"] + place["w"] <= 24, f"{panel['title']} is beside the page")
        expect(panel["description"], f"{panel['title']} does not say what it shows")
    return f"{len(panels())} panels"


def differences(ours, theirs, at):
    """Where a value does not come back as it was."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for key, value in ours.items():
            if key in theirs:
                yield from differences(value, theirs[key], f"{at}/{key}")
            else:
                yield f"{at}/{key}"
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for number, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{at}/{number}")
    elif ours != theirs:
        yield at


def family(name):
    """The metric that a series belongs to."""
    ends = next((end for end in SUFFIXES if name.endswith(end)), "")
    return name.removesuffix(ends)


def named(texts):
    """The metrics of siaga's that queries name."""
    words = {word for text in texts for word in re.findall(r"\bsiaga_\w+", text)}
    return {word for word in words if word in {f"{family(word)}{end}" for end in ("", *SUFFIXES)}}


def provoke(stack):
    """Has siaga count what it counts only when it happens."""
    token = (stack.secrets / "kannel_token").read_text().strip()
    hook = f"/hooks/kannel?token={token}&to=628990&ts=1&coding=0&charset=UTF-8"
    for member in stack.members:
        for number, (sender, text) in enumerate(PROVOKING):
            path = f"{hook}&id={number:08x}-{member.name}&from={sender}&text={text}"
            expect(member.get(path)[0] == 200, f"{member.name} does not take {text}")
        forged = member.get("/hooks/kannel?token=wrong&id=1&from=1&text=x")[0]
        expect(forged == 401, f"a forged one is taken: {forged}")
        receipt = f"/hooks/kannel/dlr?token={token}&id=1&status=1&ts=1&smsc_id=uji&answer="
        expect(member.get(receipt)[0] < 300, "a receipt is not taken")


def exposed(stack):
    """Every series that the processes show, with the labels of each."""
    shown = {}
    for member in stack.members:
        for line in get(member.host, member.admin_port, "/metrics")[1].splitlines():
            if match := re.match(r"(siaga_\w+)(?:\{(.*)\})? ", line):
                labels = set(re.findall(r'(\w+)="', match[2] or ""))
                shown.setdefault(match[1], set()).update(labels)
    return shown


def names_are_shown(stack):
    """Each metric that a rule or a query names is in /metrics, and so is each of its labels."""
    provoke(stack)
    texts = [rule["expr"] for rule in alerts()] + queries()
    wanted = named(texts)

    def missing():
        shown = exposed(stack)
        return {each for each in wanted if each not in shown and family(each) not in NEVER_SEEN}

    # A page is tried once its turn comes.
    until(lambda: not missing(), 20, f"all metrics are shown; missing are {sorted(missing())}")
    shown = exposed(stack)
    for name, labels in used_labels(texts):
        if name in shown:
            strange = labels - shown[name] - {"instance", "job"}
            expect(not strange, f"{name} has no label {sorted(strange)}")
    source = "".join(each.read_text() for each in sources())
    for name in NEVER_SEEN:
        expect(f'"{name.removeprefix("siaga_")}"' in source, f"{name} is not in the program any more")
    unwatched = {family(each) for each in shown} - {family(each) for each in wanted}
    told = f", no rule and no panel for {', '.join(sorted(unwatched))}" if unwatched else ""
    return f"{len(wanted)} series{told}"


def sources():
    at = ROOT / "src/service"
    return [at / "metrics.rs", *sorted((at / "metrics").glob("*.rs"))]


def used_labels(texts):
    """The labels that queries choose by, for each series; those that they sum by are checked alike."""
    for text in texts:
        for name, matchers in re.findall(r"\b(siaga_\w+)\{([^}]*)\}", text):
            yield name, set(re.findall(r"(\w+)\s*[=!]", matchers))
        for labels, name in re.findall(r"by \(([\w, ]+)\) \(\w+\((siaga_\w+)", text):
            yield name, set(labels.split(", "))


def check_files(cases):
    """What needs no siaga that runs."""
    cases.run("promtool reads and tests the alert rules", rules_hold)
    cases.run("every alert rule has its tests", rules_are_tested)
    cases.run("every alert is in the runbook", rules_are_explained)
    cases.run("promtool reads the dashboard's queries", queries_are_read)
    cases.run("the dashboard is one of Grafana's", dashboard_is_grafanas)


def check_names(cases, stack):
    """What siaga shows while it runs."""
    cases.run("siaga counts what rules and dashboard name", names_are_shown, stack)
