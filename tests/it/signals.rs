//! Runs that are interrupted, paused, rebuilt under, or left without a listener.

use std::io::Read as _;
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use nix::sys::signal::{Signal, kill};
use nix::unistd::Pid;

use crate::project::{Project, RETRIAL, fake, names};

const SLOW: &str = "params: {pause_ms: 60000}\nsweep: {level: [1.0, 2.0]}\n";

fn pid(id: u32) -> Pid {
    Pid::from_raw(i32::try_from(id).expect("an id"))
}

/// The workers of a run.
fn workers(run: &Child) -> Vec<u32> {
    let path = format!("/proc/{0}/task/{0}/children", run.id());
    let children = std::fs::read_to_string(path).unwrap_or_default();
    let ids = children.split_whitespace().filter_map(|id| id.parse().ok());
    ids.filter(|id: &u32| {
        let line = std::fs::read_to_string(format!("/proc/{id}/cmdline"));
        line.is_ok_and(|line| line.contains("worker"))
    })
    .collect()
}

/// The state of a process: `S` sleeps, `T` stopped; nothing when it is gone.
fn state(id: u32) -> Option<char> {
    let stat = std::fs::read_to_string(format!("/proc/{id}/stat")).ok()?;
    stat.rsplit_once(") ")?.1.chars().next()
}

#[track_caller]
fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let start = Instant::now();
    while !holds() {
        assert!(start.elapsed() < Duration::from_secs(30), "never: {what}");
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// A run of two slow trials, both at work.
fn at_work(project: &Project, command: &mut Command) -> (Child, Vec<u32>) {
    let run = command
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    let journals = project.path().join("results/fake/slow");
    until("two trials at work", || {
        let begun = |name: &String| {
            let journal = std::fs::metadata(journals.join(name).join("events.jsonl"));
            journal.is_ok_and(|data| data.len() > 0)
        };
        let begun = names(&journals).iter().filter(|name| begun(name)).count();
        begun == 2 && workers(&run).len() == 2
    });
    let workers = workers(&run);
    (run, workers)
}

fn slow() -> Project {
    Project::new().with("slow", &fake(SLOW))
}

const RUN: [&str; 5] = ["run", "experiments/slow.yaml", "--no-report", "--jobs", "2"];

#[test]
fn a_signal_to_the_workers_is_the_schedulers_to_answer() {
    let project = slow();
    for signal in [Signal::SIGTERM, Signal::SIGUSR1] {
        let (mut run, workers) = at_work(&project, &mut project.command(&RUN));
        for worker in &workers {
            for signal in [
                Signal::SIGTERM,
                Signal::SIGINT,
                Signal::SIGHUP,
                Signal::SIGUSR1,
            ] {
                kill(pid(*worker), signal).expect("a signal");
            }
        }
        std::thread::sleep(Duration::from_millis(200));
        assert!(workers.iter().all(|id| state(*id).is_some()));
        kill(pid(run.id()), signal).expect("a signal");
        assert_eq!(run.wait().expect("ended").code(), Some(130), "{signal}");
        assert!(workers.iter().all(|id| state(*id).is_none()));
        assert!(project.attempts("fake", "slow").is_empty(), "{signal}");
    }
}

#[test]
fn nohup_outlives_the_terminal() {
    let project = slow();
    let mut command = Command::new("nohup");
    let plain = project.command(&RUN);
    command.arg(RETRIAL).args(plain.get_args());
    command.current_dir(project.path());
    let (mut run, _) = at_work(&project, &mut command);
    kill(pid(run.id()), Signal::SIGHUP).expect("a signal");
    std::thread::sleep(Duration::from_millis(500));
    assert!(run.try_wait().expect("a process").is_none(), "it goes on");
    kill(pid(run.id()), Signal::SIGTERM).expect("a signal");
    assert_eq!(run.wait().expect("ended").code(), Some(130));
}

#[test]
fn ctrl_z_stops_the_workers_too_and_they_go_on_with_it() {
    let project = slow();
    let (mut run, workers) = at_work(&project, &mut project.command(&RUN));
    let all = |wanted: fn(char) -> bool| {
        let ids = workers
            .iter()
            .chain([&run.id()])
            .copied()
            .collect::<Vec<_>>();
        ids.into_iter().all(|id| state(id).is_some_and(wanted))
    };
    kill(pid(run.id()), Signal::SIGTSTP).expect("a signal");
    until("all stopped", || all(|state| state == 'T'));
    kill(pid(run.id()), Signal::SIGCONT).expect("a signal");
    until("all at work again", || all(|state| state != 'T'));
    kill(pid(run.id()), Signal::SIGINT).expect("a signal");
    assert_eq!(run.wait().expect("ended").code(), Some(130));
}

#[test]
fn a_worker_that_does_not_listen_is_ended_after_a_grace_time() {
    let project = slow();
    let (mut run, workers) = at_work(&project, &mut project.command(&RUN));
    // A stopped process stands for one that is stuck.
    kill(pid(workers[0]), Signal::SIGSTOP).expect("a signal");
    let asked = Instant::now();
    kill(pid(run.id()), Signal::SIGTERM).expect("a signal");
    assert_eq!(run.wait().expect("ended").code(), Some(130));
    let took = asked.elapsed().as_secs();
    assert!((8..25).contains(&took), "{took} s");
    assert!(project.attempts("fake", "slow").is_empty());
}

#[test]
fn a_closed_standard_error_ends_no_run() {
    let project = Project::new().with(
        "many",
        &fake("params: {pause_ms: 20}\nsweep: {level: [1.0, 2.0, 3.0, 4.0, 5.0]}\n"),
    );
    let arguments = ["run", "experiments/many.yaml", "--jobs", "1"];
    let mut run = project
        .command(&arguments)
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    drop((run.stdout.take(), run.stderr.take()));
    assert_eq!(run.wait().expect("ended").code(), Some(0));
    assert_eq!(project.records("fake", "many").len(), 5);
}

#[test]
fn a_run_keeps_its_program_while_the_file_is_built_anew() {
    let project = Project::new().with(
        "many",
        &fake("params: {pause_ms: 100}\nsweep: {level: [1.0, 2.0, 3.0, 4.0]}\n"),
    );
    let program = project.path().join("retrial");
    std::fs::copy(RETRIAL, &program).expect("copied");
    let mut command = Command::new(&program);
    let mut run = command
        .args(["run", "experiments/many.yaml", "--jobs", "1", "--no-report"])
        .current_dir(project.path())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("the program starts");
    until("a worker", || !workers(&run).is_empty());
    std::fs::remove_file(&program).expect("removed");
    std::fs::write(&program, "another build").expect("written");
    assert_eq!(run.wait().expect("ended").code(), Some(0));
    assert_eq!(project.records("fake", "many").len(), 4);
}

#[test]
fn without_a_terminal_a_run_says_what_begins() {
    let project = Project::new().with("one", &fake("params: {pause_ms: 3000}\n"));
    let mut run = project
        .command(&["run", "experiments/one.yaml", "--no-report"])
        .stdout(Stdio::null())
        .stderr(Stdio::piped())
        .spawn()
        .expect("the program starts");
    let mut said = String::new();
    let mut stderr = run.stderr.take().expect("a pipe");
    let mut chunk = [0; 512];
    while !said.contains("begun: fake/one/") {
        let read = stderr.read(&mut chunk).expect("read");
        assert!(read > 0, "ended without a start line: {said}");
        said.push_str(&String::from_utf8_lossy(&chunk[..read]));
    }
    assert!(run.try_wait().expect("a process").is_none(), "at work");
    run.kill().expect("killed");
    run.wait().expect("ended");
}
