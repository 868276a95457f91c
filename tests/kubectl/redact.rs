//! What may differ from run to run and from kubectl to kubectl is taken out of answers.

use std::sync::LazyLock;

use regex::Regex;

use crate::kubectl::Answer;

/// Random names, addresses, times, in the order in which they are replaced.
static MASKS: LazyLock<Vec<(Regex, &str)>> = LazyLock::new(|| {
    // The letters of generated names: no vowels, no digits that look like some.
    let letter = "[bcdfghjklmnpqrstvwxz2456789]";
    let empty = r"\S+ \(0/0 replicas created\)";
    [
        (r"\d{4}-\d\d-\d\dT[\d:.]+Z".to_owned(), "<time>"),
        (
            r"\w{3}, \d\d \w{3} \d{4} [\d:]{8} [+-]\d{4}".to_owned(),
            "<time>",
        ),
        (r"\b\d+\.\d+\.\d+\.\d+\b".to_owned(), "<ip>"),
        (r"rollout-lab://[0-9a-f]{32}".to_owned(), "<container>"),
        (r"(linux|macos|windows) \(\w+\)".to_owned(), "<system>"),
        (r"lab-(control-plane|worker\d?)/".to_owned(), "<node>/"),
        (
            r"to lab-(control-plane|worker\d?)\b".to_owned(),
            "to <node>",
        ),
        (
            format!(r"-{letter}{{6,10}}-{letter}{{5}}\b"),
            "-<hash>-<pod>",
        ),
        (format!(r"-{letter}{{8,10}}\b"), "-<hash>"),
        // A kubelet goes from one to the other and back.
        (r"ErrImagePull|ImagePullBackOff".to_owned(), "<no image>"),
        (
            r"pod-template-hash=\w+".to_owned(),
            "pod-template-hash=<hash>",
        ),
        (format!(r"-{letter}{{5}}\b"), "-<random>"),
        (r":3[0-2]\d{3}/TCP".to_owned(), ":<port>/TCP"),
        (r"\b\d+\.\d+s\b".to_owned(), "<took>"),
        (
            r"\b\d+[smhd](\d+[smh])?( \(x\d+ over \w+\))?(\s|$)".to_owned(),
            "<age>$3",
        ),
        // Old kubectls do not list what is empty.
        (
            format!("^OldReplicaSets: (<none>|{empty}(, {empty})*)$"),
            "OldReplicaSets: <none or empty>",
        ),
        (r"( annotate)d?$".to_owned(), "$1"),
        // Since 1.34 kubectl says where it deleted something.
        (r"( deleted) from \S+ namespace$".to_owned(), "$1"),
    ]
    .into_iter()
    .map(|(pattern, mask)| (Regex::new(&pattern).unwrap(), mask))
    .collect()
});

static WAITING: LazyLock<Regex> = LazyLock::new(|| {
    let stages = [
        r"\d+ out of \d+ new replicas have been (updated)",
        r"\d+ old replicas are (pending) termination",
        r"\d+ of \d+ updated replicas are (available)",
    ];
    let pattern = format!(
        r#"^Waiting for deployment "[^"]+" rollout to finish: (?:{})\.\.\.$"#,
        stages.join("|")
    );
    Regex::new(&pattern).unwrap()
});

/// Below the head of a described object's events.
const EVENTS_RULE: &str = "---- ------ ---- ---- -------";
/// Lines that only some versions of kubectl print.
const SOMETIMES: [&str; 5] = [
    "Node-Selectors: <none>",
    "Tolerations: <none>",
    "Service Account: default",
    "ConfigMapOptional: <nil>",
    "Optional: false",
];
/// What a pod's STATUS says while it is on its way out, which may take any time.
const LEAVING: [&str; 3] = [" Terminating ", " Error ", " Completed "];

/// The answer to a command as one text, with all that is random masked.
pub(crate) fn transcript(arguments: &[&str], answer: &Answer) -> String {
    let mut shown = vec![format!("$ kubectl {}", mask(&arguments.join(" ")))];
    shown.extend(lines(&answer.stdout));
    for line in lines(&answer.stderr) {
        shown.push(if line.starts_with("error: ") {
            // The rest is worded by kubectl, not by the server.
            "! error: <in kubectl's words>".to_owned()
        } else {
            format!("! {line}")
        });
    }
    if answer.code != Some(0) {
        shown.push(format!("[exit {}]", answer.code.unwrap_or(-1)));
    }
    shown.join("\n") + "\n"
}

/// The lines of an answer: masked, columns set apart by one space, tables sorted.
fn lines(text: &str) -> Vec<String> {
    let mut lines = Vec::new();
    let mut table: Option<Vec<String>> = None;
    for line in text.lines().chain([""]) {
        let line = mask(line);
        if is_dropped(&line) {
            continue;
        }
        match &mut table {
            Some(rows) if line.is_empty() => {
                rows.sort();
                lines.append(rows);
                lines.push(String::new());
                table = None;
            }
            Some(rows) => rows.push(line),
            None => {
                if is_header(&line) {
                    table = Some(Vec::new());
                }
                lines.push(line);
            }
        }
    }
    while lines.last().is_some_and(String::is_empty) {
        lines.pop();
    }
    lines
}

fn mask(line: &str) -> String {
    let line = line.split_whitespace().collect::<Vec<_>>().join(" ");
    MASKS.iter().fold(line, |line, (pattern, mask)| {
        pattern.replace_all(&line, *mask).into_owned()
    })
}

fn is_dropped(line: &str) -> bool {
    WAITING.is_match(line)
        || line.to_lowercase().starts_with("warning: ")
        || SOMETIMES.contains(&line)
        || LEAVING.iter().any(|status| line.contains(status))
}

/// The first line of a table, or what stands for it.
fn is_header(line: &str) -> bool {
    let is_rule = line == EVENTS_RULE;
    let is_head = line.starts_with(|letter: char| letter.is_ascii_uppercase())
        && line.contains(' ')
        && line
            .chars()
            .all(|letter| letter.is_ascii_uppercase() || " ()-".contains(letter));
    is_rule || is_head
}

/// The stages that a `rollout status` waited for, in order, without repeats.
pub(crate) fn stages(status: &str) -> Vec<&str> {
    let mut stages = Vec::new();
    for line in status.lines() {
        let stage = WAITING.captures(line).and_then(|captures| {
            let part = captures.iter().skip(1).flatten().next();
            part.map(|part| part.as_str())
        });
        if stage != stages.last().copied() {
            stages.extend(stage);
        }
    }
    stages
}

#[cfg(test)]
mod tests {
    use super::*;

    fn mk_answer(stdout: &str, stderr: &str, code: i32) -> Answer {
        Answer {
            code: Some(code),
            stdout: stdout.to_owned(),
            stderr: stderr.to_owned(),
        }
    }

    #[test]
    fn what_is_random_is_masked() {
        for (line, masked) in [
            (
                "pod/web-b7849448-d8nq4   1/1  Running   0   1s",
                "pod/web-<hash>-<pod> 1/1 Running 0 <age>",
            ),
            (
                "web-575bb867f6   3   3   3   2m5s",
                "web-<hash> 3 3 3 <age>",
            ),
            (
                "Scaled up replica set web-b7849448 from 0 to 3",
                "Scaled up replica set web-<hash> from 0 to 3",
            ),
            (
                "web-xfrl2 IPv4 3000 10.244.0.105,10.244.0.106 1s",
                "web-<random> IPv4 3000 <ip>,<ip> <age>",
            ),
            (
                "Normal Pulling 2s (x2 over 4s) kubelet",
                "Normal Pulling <age> kubelet",
            ),
            (
                "web NodePort 10.96.164.121 <none> 3000:30830/TCP 7s",
                "web NodePort <ip> <none> 3000:<port>/TCP <age>",
            ),
            (
                "pod \"x\" deleted from app-dev namespace",
                "pod \"x\" deleted",
            ),
            (
                "deployment.apps/user-service created",
                "deployment.apps/user-service created",
            ),
        ] {
            assert_eq!(mask(line), masked);
        }
    }

    #[test]
    fn rows_are_sorted_and_pods_that_leave_are_left_out() {
        let answer = mk_answer(
            "NAME   READY   STATUS\nb  1/1  Running\na  1/1  Running\nc  0/1  Terminating  \nd  1/1  Terminating  0\n\nb\na\n",
            "",
            0,
        );
        assert_eq!(
            transcript(&["get", "pods"], &answer),
            "$ kubectl get pods\nNAME READY STATUS\na 1/1 Running\nb 1/1 Running\nc 0/1 Terminating\n\nb\na\n"
        );
    }

    #[test]
    fn the_servers_words_stay_and_kubectls_go() {
        let answer = mk_answer(
            "",
            "Warning: old\nerror: no such thing\nError from server (NotFound): pods \"x\" not found\n",
            1,
        );
        assert_eq!(
            transcript(&["x"], &answer),
            "$ kubectl x\n! error: <in kubectl's words>\n\
             ! Error from server (NotFound): pods \"x\" not found\n[exit 1]\n"
        );
    }

    #[test]
    fn a_wait_is_known_by_its_stages_and_other_lines_stay() {
        let waiting = "Waiting for deployment \"web\" rollout to finish: ";
        let status = format!(
            "{waiting}1 out of 3 new replicas have been updated...\n\
             {waiting}2 out of 3 new replicas have been updated...\n\
             {waiting}1 old replicas are pending termination...\n\
             {waiting}something else...\n"
        );
        assert_eq!(stages(&status), ["updated", "pending"]);
        assert_eq!(lines(&status), [format!("{waiting}something else...")]);
    }
}
