use std::sync::Mutex;

use super::*;

fn shell() -> (Tool, Arc<Mutex<Vec<String>>>) {
    let lines = Arc::new(Mutex::new(Vec::new()));
    let told: Told = Arc::new({
        let lines = lines.clone();
        move |line: &str| lines.lock().unwrap().push(line.to_owned())
    });
    (Tool::find("sh", "", told).unwrap(), lines)
}

const SOON: Duration = Duration::from_secs(20);

#[tokio::test]
async fn what_it_prints_is_returned_and_what_it_tells_is_handed_on() {
    let (shell, lines) = shell();
    let script = "echo out; echo one >&2; printf 'two \\377' >&2";
    let printed = shell.ask(&["-c", script]).await.unwrap();
    assert_eq!(printed, "out\n");
    assert_eq!(*lines.lock().unwrap(), ["one", "two \u{fffd}"]);
}

#[tokio::test]
async fn a_failure_names_the_program_its_code_and_its_last_lines() {
    let (shell, _) = shell();
    let failing = ["-c", "seq 20 >&2; exit 3"];
    let error = shell.work(&failing, SOON).await.unwrap_err().to_string();
    assert!(
        error.starts_with("sh -c seq 20 >&2; exit 3 ended with exit code 3:\n9\n10\n"),
        "{error}"
    );
    let missing = Tool::find("no-such-tool", "install it", Arc::new(|_| {}));
    let error = missing.err().unwrap().to_string();
    assert_eq!(error, "no-such-tool is not on PATH; install it");
}

#[tokio::test]
async fn a_known_failure_comes_with_the_next_step() {
    let (shell, _) = shell();
    let script = "echo 'Cannot connect to the Docker daemon'; exit 1";
    let error = shell.work(&["-c", script], SOON).await.unwrap_err();
    let text = error.to_string();
    assert!(
        text.contains("daemon\nnext: start the container engine"),
        "{text}"
    );
}

#[tokio::test]
async fn the_environment_can_be_set() {
    let (shell, _) = shell();
    let shell = shell.with("LAB_WORD", "here");
    let printed = shell.ask(&["-c", "echo $LAB_WORD"]).await.unwrap();
    assert_eq!(printed, "here\n");
}

#[tokio::test]
async fn what_serves_is_known_by_a_line_and_ends_with_its_guard() {
    let is_url = |line: &str| line.starts_with("http");
    let (shell, lines) = shell();
    let script = [
        "-c",
        "echo hello; echo http://127.0.0.1:1; sleep 600 & wait",
    ];
    let (url, serving) = shell.serve(&script, SOON, is_url).await.unwrap();
    assert_eq!(url, "http://127.0.0.1:1");
    assert_eq!(*lines.lock().unwrap(), ["hello", "http://127.0.0.1:1"]);
    drop(serving);

    let ended = shell.serve(&["-c", "echo no; exit 7"], SOON, is_url).await;
    let error = ended.err().unwrap().to_string();
    assert!(error.contains("exit code 7:\nno"), "{error}");
    let soon = Duration::from_millis(50);
    let late = shell.serve(&["-c", "sleep 600"], soon, is_url).await;
    assert!(matches!(late.err().unwrap(), ToolError::Late { .. }));
}

#[tokio::test]
async fn what_takes_too_long_is_ended() {
    let (shell, _) = shell();
    let limit = Duration::from_millis(50);
    let error = shell.work(&["-c", "sleep 600"], limit).await.unwrap_err();
    assert!(matches!(error, ToolError::Late { .. }), "{error}");
}

#[cfg(target_os = "linux")]
#[tokio::test]
async fn what_nobody_waits_for_is_ended_with_its_children() {
    let (tell, mut told) = tokio::sync::mpsc::unbounded_channel();
    let told_to: Told = Arc::new(move |line: &str| {
        let _ = tell.send(line.to_owned());
    });
    let shell = Tool::find("sh", "", told_to).unwrap();
    // Its number tells whether the child is gone.
    let script = ["-c", "sleep 600 & echo $! >&2; wait"];
    let child = tokio::select! {
        ended = shell.work(&script, SOON) => panic!("{ended:?}"),
        child = told.recv() => child.unwrap(),
    };
    let end = std::time::Instant::now() + SOON;
    // The system takes a moment to end it; it may be a zombie until somebody asks for it.
    let is_there = || {
        let stat = std::fs::read_to_string(format!("/proc/{child}/stat"));
        stat.is_ok_and(|stat| !stat.contains(") Z "))
    };
    while is_there() {
        assert!(std::time::Instant::now() < end, "{child} goes on");
        tokio::task::yield_now().await;
    }
}
