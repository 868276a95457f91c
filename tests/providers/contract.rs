//! What every provider promises, as one list of steps.

use crate::machine::Machine;
use crate::program::Place;

/// A tool that makes clusters, and what is typed to it.
struct Tool {
    name: &'static str,
    /// The context of its cluster `lab`.
    context: &'static str,
    /// By which way requests reach the node port.
    access: &'static str,
    up: &'static [&'static str],
    reuse: &'static [&'static str],
    down: &'static [&'static str],
}

const KIND: Tool = Tool {
    name: "kind",
    context: "kind-lab",
    access: "mapped-port",
    up: &[
        "kind version",
        "kind get clusters",
        "kind create cluster --name lab --config kind.yaml --wait 300s",
        "kind load image-archive images.tar --name lab",
    ],
    reuse: &[
        "kind version",
        "kind get clusters",
        "kind export kubeconfig --name lab",
        "kind load image-archive images.tar --name lab",
    ],
    down: &["kind delete cluster --name lab", "kind get clusters"],
};

const K3D: Tool = Tool {
    name: "k3d",
    context: "k3d-lab",
    access: "mapped-port",
    up: &[
        "k3d version",
        "k3d cluster list --output json",
        "k3d cluster create lab --servers 1 --agents 2 --port ADDRESS:30000:30000@server:0:direct \
         --no-lb --wait --timeout 300s --kubeconfig-update-default=false --k3s-arg \
         --disable=traefik@server:0",
        "k3d kubeconfig write lab --output kubeconfig",
        "k3d image import images.tar --cluster lab --mode direct",
    ],
    reuse: &[
        "k3d version",
        "k3d cluster list --output json",
        "k3d kubeconfig write lab --output kubeconfig",
        "k3d image import images.tar --cluster lab --mode direct",
    ],
    down: &["k3d cluster delete lab", "k3d cluster list --output json"],
};

const MINIKUBE: Tool = Tool {
    name: "minikube",
    context: "lab",
    access: "node-address",
    up: &[
        "minikube version",
        "minikube profile list --light --output json",
        "minikube start --profile lab --driver=docker --nodes=2 --cpus=2 --memory=2200mb \
         --wait=all --interactive=false --wait-timeout=6m",
        "minikube image load images.tar --profile lab",
        "minikube image ls --profile lab",
    ],
    reuse: &[
        "minikube version",
        "minikube profile list --light --output json",
        "minikube status --profile lab --output json",
        "minikube update-context --profile lab",
        "minikube image load images.tar --profile lab",
        "minikube image ls --profile lab",
    ],
    down: &[
        "minikube delete --profile lab",
        "minikube profile list --light --output json",
    ],
};

#[test]
fn kind_keeps_the_contract() {
    with_standins(&KIND);
}

#[test]
fn k3d_keeps_the_contract() {
    with_standins(&K3D);
}

#[test]
fn minikube_keeps_the_contract() {
    with_standins(&MINIKUBE);
}

/// Holds a tool to the contract, and to what is typed for it.
fn with_standins(tool: &Tool) {
    let machine = Machine::with(&[tool.name]);
    a_cluster_to_work_with(&machine, tool.name, "lab", tool.context, tool.access);
    let refused = &tool.up[..2];
    let expected = [tool.up, refused, tool.reuse, tool.down].concat();
    assert_eq!(machine.typed(), expected);
    a_cluster_for_a_run(&machine, tool.name, tool.access);
}

/// A cluster that is made, used by a run, still there after it, and taken down.
pub(crate) fn a_cluster_to_work_with(
    machine: &Machine,
    tool: &str,
    name: &str,
    context: &str,
    access: &str,
) {
    let entry = format!("{tool}-{name}");
    let up = machine.type_of(tool, &["cluster", "up", "--cluster", name]);
    let how_to_remove = format!("rollout-lab cluster down {name}");
    up.expect(
        0,
        &["is ready, with ", "export KUBECONFIG=", &how_to_remove],
    );
    assert_eq!(machine.clusters(tool), [name]);

    let again = machine.type_of(tool, &["cluster", "up", "--cluster", name]);
    let taken = format!("there is a {tool} cluster {name} already");
    again.expect(3, &[&taken, "--reuse"]);
    assert_eq!(machine.ledger(), [entry.as_str()]);

    let status = machine.run(&["cluster", "status"]);
    let line = format!("{name} ({tool}), kept");
    status.expect(0, &[&line, "✓ ", "ready nodes: "]);

    let printed = machine.run(&["cluster", "kubeconfig", name]);
    printed.expect(0, &[]);
    let kubeconfig = ["--kubeconfig", printed.stdout.trim(), "--context", context];
    let look = [&["doctor", "--provider", "kubeconfig"], &kubeconfig[..]].concat();
    machine.run(&look).expect(0, &["✓ cluster: "]);

    let run = machine.run_lab(tool, &["--cluster", name, "--reuse"]);
    run.expect(0, &[tool]);
    assert_eq!(machine.access(), access, "{run:#?}");
    assert_eq!(machine.clusters(tool), [name]);
    assert_eq!(machine.ledger(), [entry.as_str()]);

    let down = machine.run(&["cluster", "down", name]);
    let removed = format!("the {tool} cluster {name} is removed");
    down.expect(0, &[&removed]);
    let status = machine.run(&["cluster", "status"]);
    status.expect(0, &["no cluster was made here"]);
    machine.expect_nothing_left(tool);
    let again = machine.run(&["cluster", "down", name]);
    again.expect(2, &["no cluster was made here that is still there"]);
}

/// A cluster that a run makes for itself.
pub(crate) fn a_cluster_for_a_run(machine: &Machine, tool: &str, access: &str) {
    let run = machine.run_lab(tool, &[]);
    run.expect(0, &[tool]);
    let report = machine.report();
    let name = format!("rollout-lab-{}", report["run"]["id"].as_str().unwrap());
    run.expect(0, &[&format!("removing the cluster {name}")]);
    assert_eq!(machine.access(), access);
    machine.expect_nothing_left(tool);
}

#[test]
fn the_embedded_cluster_keeps_the_contract() {
    let machine = Machine::with(&[]);
    let mut first = machine.start(&["cluster", "up", "--publish", "none", "--pace", "20"]);
    first.await_line("Ctrl+C stops");
    let [entry] = &machine.ledger()[..] else {
        panic!("one is listed");
    };
    let name = entry.strip_prefix("embedded-").unwrap().to_owned();

    // A second one runs beside it, so it has to be said which is meant.
    let mut second = machine.start(&["cluster", "up", "--publish", "none"]);
    second.await_line("Ctrl+C stops");
    let status = machine.run(&["cluster", "status"]);
    status.expect(0, &[&format!("{name} (embedded), in use by process ")]);
    assert_eq!(status.stdout.matches("✓ ").count(), 2, "{status:#?}");
    let unclear = machine.run(&["cluster", "kubeconfig"]);
    unclear.expect(2, &["there are several clusters, so name one: ", &name]);

    let printed = machine.run(&["cluster", "kubeconfig", &name]);
    printed.expect(0, &[]);
    let kubeconfig = printed.stdout.trim();
    for _ in 0..2 {
        run_on(&machine, kubeconfig).expect(0, &["kubeconfig (context rollout-lab)"]);
        assert_eq!(machine.access(), "node-address");
    }
    assert_eq!(machine.ledger().len(), 2, "only the clusters are noted");

    let down = machine.run(&["cluster", "down", &name]);
    down.expect(0, &[&format!("the embedded cluster {name} is removed")]);
    first.end().expect(0, &["the kubeconfig is removed"]);
    let again = machine.run(&["cluster", "down", &name]);
    again.expect(
        2,
        &[&format!("no cluster {name} was made here; there are: ")],
    );
    second.signal("INT");
    second.end().expect(0, &[]);
    machine.expect_nothing_left("embedded");

    let feature = machine.path("f.feature");
    let reports = machine.path("reports");
    let run = [
        "run",
        &feature,
        "--publish",
        "none",
        "--report-dir",
        &reports,
    ];
    machine.run(&run).expect(0, &["embedded"]);
    assert_eq!(machine.access(), "embedded-proxy");
    machine.expect_nothing_left("embedded");
}

/// Runs the small lab on the cluster of a kubeconfig.
fn run_on(machine: &Machine, kubeconfig: &str) -> crate::program::Ended {
    let (feature, reports) = (machine.path("f.feature"), machine.path("reports"));
    let run = ["run", &feature, "--provider", "kubeconfig"];
    let cluster = ["--kubeconfig", kubeconfig, "--context", "rollout-lab"];
    machine.run(&[&run[..], &cluster, &["--report-dir", &reports]].concat())
}

#[test]
fn a_cluster_of_a_kubeconfig_stays_whatever_is_typed() {
    let home = Place::new();
    let kubeconfig = home.path("config");
    let kubeconfig = kubeconfig.to_str().unwrap();
    let up = ["cluster", "up", "--publish", "none", "--pace", "20"];
    let mut cluster = home.start(&[&up[..], &["--kubeconfig", kubeconfig]].concat());
    cluster.await_line("Ctrl+C stops");

    let machine = Machine::with(&[]);
    let made = machine.run(&["cluster", "up", "--provider", "kubeconfig"]);
    made.expect(2, &["is there already; choose a provider that makes one"]);
    for _ in 0..2 {
        run_on(&machine, kubeconfig).expect(0, &["kubeconfig (context rollout-lab)"]);
        machine.expect_nothing_left("kubeconfig");
    }
    let down = machine.run(&["cluster", "down"]);
    down.expect(2, &["no cluster was made here that is still there"]);
    machine
        .run(&["clean", "--kept"])
        .expect(0, &["nothing is left"]);
    let theirs = home.run(&["cluster", "status"]);
    theirs.expect(0, &["(embedded), in use by process ", "✓ "]);

    cluster.signal("TERM");
    cluster.end().expect(0, &[]);
}
