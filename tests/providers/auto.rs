//! Which provider is taken where nobody says, and which options are refused because they would do
//! nothing.

use crate::machine::Machine;

/// Asks which provider is taken.
#[track_caller]
fn takes(tools: &[&str], wrong: &str, chosen: &str) -> Machine {
    let machine = Machine::with(tools);
    machine.goes_wrong(wrong);
    let looked = machine.type_of("auto", &["doctor"]);
    assert!(looked.stderr.contains(chosen), "{chosen}: {looked:#?}");
    machine
}

#[test]
fn the_first_tool_that_can_make_a_cluster_is_taken() {
    let all = ["kind", "k3d", "minikube", "docker"];
    takes(
        &all,
        "",
        "auto: kind, because kind v0.33.0 and docker answer\n",
    );
    takes(
        &all[1..],
        "",
        "auto: k3d, because k3d v5.8.3 and docker answer\n",
    );
    takes(
        &all[2..],
        "",
        "auto: minikube, because minikube v1.36.0 and docker answer\n",
    );
}

#[test]
fn without_a_tool_and_an_engine_the_embedded_cluster_is_taken() {
    takes(
        &[],
        "",
        "auto: embedded, because kind is not on PATH; k3d is not on PATH; minikube is not on PATH\n",
    );
    let no_engine = "auto: embedded, because kind is there, but none of its engines answers \
                     (docker, podman, nerdctl); k3d is not on PATH; ";
    takes(&["kind"], "", no_engine);
    takes(&["kind", "docker"], "engine-29", no_engine);
    let old = "auto: embedded, because kind v0.11.1 is older than 0.20; ";
    takes(&["kind", "docker"], "old", old);
}

#[test]
fn what_is_taken_is_run_on() {
    let machine = Machine::with(&["kind", "docker"]);
    let run = machine.run_glance("auto", &[]);
    run.expect(0, &["auto: kind, because ", "kind v0.33.0, Kubernetes "]);
    machine.expect_nothing_left("kind");

    let machine = Machine::with(&[]);
    let run = machine.run_glance("auto", &["--pace", "20"]);
    run.expect(0, &["auto: embedded, because "]);
    assert_eq!(machine.access(), "embedded-proxy");
    machine.expect_nothing_left("embedded");
}

#[test]
fn a_context_that_is_named_is_meant() {
    let machine = Machine::with(&["kind", "docker"]);
    let config = "apiVersion: v1\nkind: Config\ncontexts: []\n";
    let config = machine.place.file("config", config);
    let config = ["--kubeconfig", config.to_str().unwrap()];
    let run = ["run", &machine.path("f.feature"), "--provider", "auto"];
    let named = [&run[..], &config, &["--context", "staging"]].concat();
    machine.run(&named).expect(
        2,
        &[
            "auto: kubeconfig, because the context staging is named",
            "there is no context \"staging\"",
        ],
    );
    assert_eq!(machine.typed(), [""; 0]);
}

#[test]
fn an_option_that_would_do_nothing_is_refused() {
    let of_made = "is for clusters of kind, k3d and minikube; with --provider ";
    let of_existing = "is for clusters that are there; add --provider kubeconfig";
    let kind = "kind takes --nodes";
    for (provider, options, told) in [
        ("embedded", "--context=staging", of_existing),
        ("embedded", "--node-address=127.0.0.1", of_existing),
        ("embedded", "--port-forward", of_existing),
        ("kind", "--context=staging", of_existing),
        ("embedded", "--cluster=lab", of_made),
        ("embedded", "--cluster=lab --reuse", of_made),
        ("embedded", "--kubernetes-version=v1.36.2", of_made),
        ("embedded", "--tutorial-size", of_made),
        ("kubeconfig", "--cluster=lab", of_made),
        ("kubeconfig", "--node-image=kindest/node:v1.36.2", of_made),
        ("kubeconfig", "--image-archive=images.tar", of_made),
        ("kubeconfig", "--nodes=3", "those that it has"),
        ("kubeconfig", "--pace=20", "runs in real time"),
        ("kind", "--pace=20", "runs in real time"),
        ("kind", "--tutorial-size", kind),
        ("k3d", "--tutorial-size", "k3d takes --nodes"),
        ("minikube", "--node-image=x", "takes --kubernetes-version"),
    ] {
        refuses(provider, options, told);
    }
}

#[test]
fn a_name_or_a_version_that_a_tool_would_misread_is_refused() {
    let name = "expected 2 to 32 lower-case letters, digits and dashes";
    let version = "expected a version with three numbers";
    for (options, told) in [
        ("--cluster=Lab", name),
        ("--cluster=--all", name),
        ("--cluster=a", name),
        ("--kubernetes-version=latest", version),
        ("--kubernetes-version=1.36", version),
        ("--nodes=0", "0 is not in 1..=20"),
        ("--reuse", "--cluster <NAME>"),
        (
            "--kubernetes-version=v1.36.2 --node-image=x",
            "cannot be used with",
        ),
    ] {
        for provider in ["kind", "k3d", "minikube"] {
            refuses(provider, options, told);
        }
    }
}

/// A run with some options is a slip of the command line, and nothing is asked of any tool.
#[track_caller]
fn refuses(provider: &str, options: &str, told: &str) {
    let machine = Machine::with(&["kind", "k3d", "minikube", "docker"]);
    let feature = machine.path("f.feature");
    let run = ["run", &feature, "--provider", provider];
    let options: Vec<&str> = options.split(' ').collect();
    machine
        .run(&[&run[..], &options].concat())
        .expect(2, &[told]);
    assert_eq!(machine.typed(), [""; 0]);
    machine.expect_nothing_left(provider);
}
