//! Runs with a dashboard, on a terminal of their own.
//!
//! A run starts its own program once more for each trial. So these tests have a `main` of their own: called with `run`
//! or `worker` it is a program with a dashboard, else it is the harness.

use std::fs::{self, File};
use std::io::{BufRead as _, BufReader, Write as _};
use std::path::Path;
use std::process::{Child, Command, ExitCode, Stdio};
use std::sync::mpsc::{Receiver, channel};

use retrial_core::record::Record;
use retrial_runner::signals::Asked;
use retrial_runner::{BuildInfo, Dashboard, Fake, Program};
use tempfile::TempDir;

static PROGRAM: Program = Program {
    hidden_studies: &[&Fake],
    dashboard: Ok(open),
    ..Program::new("own", "Runs trials without science.", BUILD, &[])
};

const BUILD: BuildInfo = BuildInfo {
    version: "0.1.0",
    revision: None,
    source: None,
    profile: "",
    features: "",
    rustc: "",
    target: "",
    lock_file: "",
};

const TESTS: [(&str, fn()); 4] = [
    (
        "it_is_told_everything_and_nothing_else_is_written",
        it_is_told_everything_and_nothing_else_is_written,
    ),
    (
        "a_trial_that_it_stops_goes_on_from_there",
        a_trial_that_it_stops_goes_on_from_there,
    ),
    ("it_shows_one_trial", it_shows_one_trial),
    ("it_needs_a_terminal", it_needs_a_terminal),
];

fn main() -> ExitCode {
    let arguments: Vec<String> = std::env::args().skip(1).collect();
    if let Some("run" | "worker") = arguments.first().map(String::as_str) {
        return retrial_runner::main(&PROGRAM);
    }
    let has = |word: &str| arguments.iter().any(|own| own == word);
    let named: Vec<_> = TESTS.iter().filter(|(name, _)| has(name)).collect();
    for (name, test) in TESTS {
        if has("--list") {
            // None of them is ignored.
            if !has("--ignored") {
                println!("{name}: test");
            }
        } else if named.is_empty() || has(name) {
            test();
            println!("test {name} ... ok");
        }
    }
    ExitCode::SUCCESS
}

/// A dashboard of lines; a line on its standard input asks for a stop.
struct Lines {
    input: Receiver<String>,
}

fn open(trial: &str) -> Box<dyn Dashboard> {
    println!("open {trial}");
    let (read, input) = channel();
    std::thread::spawn(move || {
        for line in std::io::stdin().lines().map_while(Result::ok) {
            if read.send(line).is_err() {
                break;
            }
        }
    });
    Box::new(Lines { input })
}

impl Dashboard for Lines {
    fn progress(&mut self, done: u64, total: u64, unit: &str) {
        println!("{done}/{total} {unit}");
    }

    fn curve(&mut self, name: &str, done: u64, value: f64) {
        println!("{name} {done}: {value}");
    }

    fn asked(&mut self) -> Option<Asked> {
        self.input.try_recv().ok().map(|_| Asked::StopSoon)
    }
}

impl Drop for Lines {
    fn drop(&mut self) {
        println!("closed");
    }
}

/// A project with one experiment of the study `fake`.
fn project(rest: &str) -> TempDir {
    let project = tempfile::tempdir().expect("a folder");
    for folder in ["experiments", "datasets"] {
        fs::create_dir(project.path().join(folder)).expect("a folder");
    }
    let spec = format!("format: 1\nstudy: fake\nquestion: Is it shown?\n{rest}");
    fs::write(project.path().join("experiments/one.yaml"), spec).expect("written");
    project
}

fn command(project: &TempDir, more: &[&str]) -> Command {
    let mut command = Command::new(std::env::current_exe().expect("a program"));
    command
        .args(["run", "experiments/one.yaml", "--tui", "--no-report"])
        .args(more)
        .current_dir(project.path())
        .env("RETRIAL_CACHE", project.path().join("cache"));
    command
}

/// A run, and the lines that its terminal shows until it ends.
fn on_a_terminal(
    project: &TempDir,
    more: &[&str],
) -> (Child, impl Iterator<Item = String> + use<>) {
    let ends = nix::pty::openpty(None, None).expect("a terminal");
    let run = command(project, more)
        .stdin(Stdio::piped())
        .stdout(ends.slave.try_clone().expect("a second one"))
        .stderr(ends.slave)
        .spawn()
        .expect("the program starts");
    // Reading it is an error once the run has left it.
    let lines = BufReader::new(File::from(ends.master)).lines();
    (run, lines.map_while(Result::ok))
}

/// The record of the only trial.
fn record(project: &Path) -> Option<Record> {
    let trials = fs::read_dir(project.join("results/fake/one")).ok()?;
    let mut files = trials.map(|trial| trial.expect("a folder").path().join("trial.yaml"));
    let text = files.find_map(|file| fs::read_to_string(file).ok())?;
    Some(serde_yaml::from_str(&text).expect("a record"))
}

/// The rounds that a line says are done.
fn rounds(line: &str) -> Option<u64> {
    let (done, _) = line.strip_suffix(" rounds")?.split_once('/')?;
    done.parse().ok()
}

fn it_is_told_everything_and_nothing_else_is_written() {
    let project = project("params: {rounds: 3, pause_ms: 20}\n");
    let (mut run, lines) = on_a_terminal(&project, &[]);
    let lines: Vec<String> = lines.collect();
    assert_eq!(run.wait().expect("ended").code(), Some(0), "{lines:#?}");
    let record = record(project.path()).expect("a record");
    let trial = format!("fake/one/{}", record.trial);
    let mut drawn = Vec::new();
    let mut known = Vec::new();
    for line in &lines {
        let value = line
            .strip_prefix("drawn ")
            .and_then(|rest| rest.split_once(": "));
        known.push(match value {
            Some((round, value)) => {
                drawn.push(value.parse::<f64>().expect("a number"));
                format!("drawn {round}")
            }
            None => line.clone(),
        });
    }
    let told = [
        &format!("open {trial}"),
        "1/3 rounds",
        "drawn 1",
        "2/3 rounds",
        "drawn 2",
        "3/3 rounds",
        "drawn 3",
        "closed",
    ];
    assert_eq!(known[..told.len()], told);
    assert!(
        known[told.len()].starts_with(&format!("[1/1] {trial}  ")),
        "{lines:#?}"
    );
    assert_eq!(record.metrics.get("sum"), Some(&drawn.iter().sum::<f64>()));
}

fn a_trial_that_it_stops_goes_on_from_there() {
    let project = project("params: {rounds: 50, pause_ms: 60}\n");
    let (mut run, mut lines) = on_a_terminal(&project, &[]);
    let second = lines.find(|line| rounds(line) == Some(2));
    assert!(second.is_some(), "ended before");
    let mut keys = run.stdin.take().expect("a pipe");
    writeln!(keys, "stop").expect("written");
    let lines: Vec<String> = lines.collect();
    assert_eq!(run.wait().expect("ended").code(), Some(130), "{lines:#?}");
    assert!(lines.contains(&"closed".to_owned()), "{lines:#?}");
    assert!(record(project.path()).is_none());
    let reached = lines
        .iter()
        .rev()
        .find_map(|line| rounds(line))
        .unwrap_or(2);

    let (mut run, mut lines) = on_a_terminal(&project, &[]);
    assert_eq!(lines.find_map(|line| rounds(&line)), Some(reached + 1));
    let lines: Vec<String> = lines.collect();
    assert_eq!(run.wait().expect("ended").code(), Some(0), "{lines:#?}");
    assert!(record(project.path()).is_some());
}

fn it_shows_one_trial() {
    let project = project("seeds: [5, 6]\nsweep: {level: [1.0, 2.0]}\n");
    let (mut run, lines) = on_a_terminal(&project, &[]);
    let lines: Vec<String> = lines.collect();
    assert_eq!(run.wait().expect("ended").code(), Some(2), "{lines:#?}");
    let choice = "--set 'sweep={level: [1.0]}' --seed 5 --tui";
    assert_eq!(
        lines,
        [format!(
            "error: `--tui` shows one trial, and 4 are selected; a file, `--set` and `--seed` choose one: \
             `own run experiments/one.yaml {choice}`"
        )]
    );
    assert!(!project.path().join("results").exists());

    let (mut run, lines) =
        on_a_terminal(&project, &["--set", "sweep={level: [1.0]}", "--seed", "5"]);
    let lines: Vec<String> = lines.collect();
    assert_eq!(run.wait().expect("ended").code(), Some(0), "{lines:#?}");
    assert!(lines.contains(&"closed".to_owned()), "{lines:#?}");
}

fn it_needs_a_terminal() {
    let project = project("");
    let output = command(&project, &[]).output().expect("the program starts");
    assert_eq!(output.status.code(), Some(2));
    let said = String::from_utf8_lossy(&output.stderr);
    assert_eq!(
        said.trim_end(),
        "error: `--tui` draws on a terminal, and standard output is none"
    );
    assert!(output.stdout.is_empty());
    assert!(!project.path().join("results").exists());
}
