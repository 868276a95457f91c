//! What the doctor says of machines with nothing, with everything, and with something wrong.

use std::net::TcpListener;

use crate::machine::Machine;

const TOOLS: [&str; 3] = ["kind", "k3d", "minikube"];

#[test]
fn with_nothing_installed_only_the_embedded_cluster_runs() {
    let machine = Machine::with(&[]);
    let publish = machine.address.to_string();
    let embedded = machine.run(&["doctor", "--publish", &publish]);
    let free = format!("✓ node port 30000: {publish}:30000 is free");
    embedded.expect(0, &[&free, "--provider embedded can run here"]);
    for (tool, engines) in TOOLS.into_iter().zip([
        "none of docker, podman, nerdctl",
        "none of docker, podman",
        "no docker",
    ]) {
        let ended = machine.type_of(tool, &["doctor"]);
        let missing = format!("✗ {tool}: not found\n    see https://");
        let engine = format!("✗ container engine: {engines}\n    install one and start it");
        let verdict = format!("--provider {tool} cannot run here yet");
        let kubectl = "• kubectl: not found\n    install it to type the tutorials' commands";
        ended.expect(3, &[&missing, &engine, kubectl, &verdict]);
    }
}

#[test]
fn with_everything_installed_each_tool_runs() {
    for (tool, found, room) in [
        (
            "kind",
            "✓ kind: v0.33.0 (0.20 or newer is needed)",
            "3 nodes may use 2100 MiB",
        ),
        (
            "k3d",
            "✓ k3d: v5.8.3 (5.0 or newer is needed)",
            "3 nodes may use 2100 MiB",
        ),
        (
            "minikube",
            "✓ minikube: v1.36.0 (1.33 or newer is needed)",
            "2 nodes may use 4400 MiB",
        ),
    ] {
        let machine = Machine::with(&[tool, "docker"]);
        machine.install("kubectl", "echo 'Client Version: v1.33.1'");
        let ended = machine.type_of(tool, &["doctor"]);
        let room = format!("✓ room: 8 processors and 16000 MiB; {room}");
        let verdict = format!("--provider {tool} can run here");
        ended.expect(
            0,
            &[
                found,
                "✓ container engine: docker answers",
                &room,
                "✓ images: loaded from ",
                "✓ kubectl: v1.33.1 (1.27 or newer is needed)",
                "✓ leftovers: none\n",
                &verdict,
            ],
        );
        let maps = ended.stdout.contains("✓ node port 30000: ");
        assert_eq!(maps, tool != "minikube", "{ended:#?}");
        machine.expect_nothing_left(tool);
    }
}

#[test]
fn any_engine_of_a_tool_will_do_whether_it_tells_its_size_or_not() {
    let machine = Machine::with(&["kind", "docker"]);
    machine.goes_wrong("engine-28");
    machine.install("podman", "echo '4 8589934592'");
    let ended = machine.type_of("kind", &["doctor"]);
    let engine = "✓ container engine: podman answers\n✓ room: 4 processors and 8192 MiB";
    ended.expect(0, &[engine]);
    machine.install("podman", "echo '<no value> <no value>'");
    let ended = machine.type_of("kind", &["doctor"]);
    ended.expect(0, &["✓ container engine: podman answers"]);
    assert!(!ended.stdout.contains("room: "), "{ended:#?}");
}

#[test]
fn what_is_wrong_is_said_with_what_to_do() {
    for (release, text) in [
        ("engine-28", "Is the docker daemon running?"),
        (
            "engine-29",
            "failed to connect to the docker API at unix://",
        ),
    ] {
        let machine = Machine::with(&["kind", "docker"]);
        machine.install("kubectl", "echo 'Client Version: v1.20.2'");
        machine.goes_wrong(&format!("old {release}"));
        std::fs::remove_file(machine.place.path("images.tar")).unwrap();
        let _holder = TcpListener::bind((machine.address, 30000)).unwrap();
        let ended = machine.type_of("kind", &["doctor"]);
        let taken = format!("port 30000 of {} is in use by ", machine.address);
        ended.expect(
            3,
            &[
                "✗ kind: v0.11.1\n    too old: install 0.20 or newer",
                "✗ container engine: docker info ",
                text,
                "start the container engine, and see that this user may use it",
                "✗ node port 30000: not free\n    ",
                &taken,
                "✗ images: no archive\n    there is no image archive ",
                "• kubectl: v1.20.2\n    too old: install 1.27 or newer",
                "--provider kind cannot run here yet",
            ],
        );
    }
}

#[test]
fn an_engine_that_is_too_small_for_the_tutorials_cluster_is_told() {
    let machine = Machine::with(&["minikube", "docker"]);
    machine.place.file("room", "4 8589934592\n");
    let usual = machine.type_of("minikube", &["doctor"]);
    usual.expect(
        0,
        &["✓ room: 4 processors and 8192 MiB; 2 nodes may use 4400 MiB"],
    );
    // The tutorial's command does start there.
    let large = machine.type_of("minikube", &["doctor", "--tutorial-size"]);
    large.expect(
        0,
        &[
            "• room: 4 processors and 8192 MiB, while 3 nodes may use 24576 MiB\n    pods may be \
             killed for want of memory; ask for fewer nodes with --nodes",
        ],
    );
    machine.place.file("room", "4 7516192768\n");
    let too_large = machine.type_of("minikube", &["doctor", "--tutorial-size"]);
    too_large.expect(
        3,
        &["✗ room: 4 processors and 7168 MiB, but one node needs 2 processors and 8192 MiB"],
    );
}

#[test]
fn images_that_nodes_pull_are_asked_for_where_docker_can_ask() {
    let machine = Machine::with(&["kind", "docker"]);
    let publish = machine.address.to_string();
    let pulled = ["doctor", "--provider", "kind", "--images", "pull"];
    let look = [&pulled[..], &["--publish", &publish]].concat();
    let both = "✓ images: mogumogusityau/user-service:1.0.0 and \
                mogumogusityau/payment-service:1.0.0 can be pulled";
    machine.run(&look).expect(0, &[both]);
    // The nodes may have ways of their own, so it is no reason not to try.
    machine.goes_wrong("offline");
    let refused = "• images: docker manifest inspect mogumogusityau/";
    let next = "no such host\n    go online, or leave --images pull out";
    machine.run(&look).expect(0, &[refused, next]);

    std::fs::remove_file(machine.place.path("bin/docker")).unwrap();
    machine.install("podman", "echo '8 16777216000'");
    machine.run(&look).expect(
        0,
        &["✓ images: the nodes pull them", "not tried without docker"],
    );
}

#[test]
fn what_is_left_and_what_is_kept_is_told() {
    let machine = Machine::with(&["kind", "docker"]);
    let up = machine.type_of("kind", &["cluster", "up", "--cluster", "lab"]);
    up.expect(0, &[]);
    let kept = machine.run(&["doctor", "--publish", "none"]);
    kept.expect(0, &["✓ leftovers: none; kept on purpose: lab (kind)"]);

    machine.goes_wrong("delete-fails");
    machine.run(&["cluster", "down", "lab"]).expect(1, &[]);
    let left = machine.run(&["doctor", "--publish", "none"]);
    left.expect(
        0,
        &["• leftovers: lab (kind)\n    left by runs that were killed; remove it with: rollout-lab clean"],
    );
}

#[test]
fn a_context_is_not_guessed_here_either() {
    let machine = Machine::with(&[]);
    let kubeconfig = machine.place.file(
        "config",
        "apiVersion: v1\nkind: Config\ncontexts: [{name: one, context: {cluster: c, user: u}}]\n",
    );
    let look = ["doctor", "--provider", "kubeconfig", "--kubeconfig"];
    let ended = machine.run(&[&look[..], &[kubeconfig.to_str().unwrap()]].concat());
    ended.expect(
        3,
        &["✗ cluster: not reached\n    no context was named", "one"],
    );
}
