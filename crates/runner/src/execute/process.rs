//! The process of one worker, as the scheduler sees it: its time, its events, its end.

use std::io::{BufRead as _, BufReader};
use std::os::unix::process::ExitStatusExt as _;
use std::process::{Child, ChildStdin, ExitStatus};
use std::sync::mpsc::{Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use retrial_core::event::Event;
use retrial_core::spec::MAX_TIME_S;

use super::schedule::Task;
use super::signals::Asked;

/// How long the streams of a worker that ended may stay open, and a killed one may stay.
pub(super) const LAST_WORDS: Duration = Duration::from_secs(3);
/// How much of a worker's standard error is kept.
const STDERR_BYTES: usize = 16 * 1024;

/// How long a trial may run; waiting for a stage that another trial builds does not count.
#[derive(Clone, Copy, Debug, PartialEq)]
pub(crate) enum TimeLimit {
    /// As the spec says.
    Given(Duration),
    /// Far beyond the estimate: a trial that is stuck ends some day.
    Estimated(Duration),
}

impl TimeLimit {
    /// The shortest limit of a trial whose spec gives none, s.
    const SHORTEST_S: f64 = 3600.0;
    /// How many times its estimate such a trial may take.
    const TIMES: f64 = 100.0;

    /// The limit of a spec, or one by the estimated cost.
    pub(crate) fn new(given_s: Option<f64>, cost_s: f64) -> Self {
        let seconds = |s: f64| Duration::from_secs_f64(s.clamp(0.0, MAX_TIME_S));
        match given_s {
            Some(given_s) => Self::Given(seconds(given_s)),
            None => Self::Estimated(seconds((cost_s * Self::TIMES).max(Self::SHORTEST_S))),
        }
    }

    pub(super) fn duration(self) -> Duration {
        match self {
            Self::Given(limit) | Self::Estimated(limit) => limit,
        }
    }

    fn message(self) -> String {
        let seconds = self.duration().as_secs_f64();
        match self {
            Self::Given(_) => format!("ran longer than the limit of {seconds} s"),
            Self::Estimated(_) => format!(
                "ran longer than {seconds:.0} s, far beyond its estimate; `limits.time_s` in the \
                 spec sets another limit"
            ),
        }
    }
}

/// A worker at work.
pub(super) struct Worker {
    pub(super) task: Task,
    pub(super) stdin: ChildStdin,
    pub(super) process: nix::unistd::Pid,
    pub(super) started: SystemTime,
    pub(super) clock: Instant,
    /// Time spent waiting for stages of others.
    pub(super) waited: Duration,
    pub(super) waiting_since: Option<Instant>,
    pub(super) timed_out: bool,
    /// Kills for lack of memory on this machine before the worker began.
    pub(super) memory_kills: Option<u64>,
    /// What the worker itself said of its failure.
    pub(super) failure: Option<(String, String)>,
}

impl Worker {
    /// When its time is up, as far as it does not wait.
    pub(super) fn deadline(&self) -> Option<Instant> {
        let limit = self.task.time_limit.duration() + self.waited;
        (!self.timed_out && self.waiting_since.is_none()).then(|| self.clock + limit)
    }

    /// Ends it at once.
    pub(super) fn kill(&self) {
        let _ = nix::sys::signal::kill(self.process, Signal::SIGKILL);
    }
}

/// What reaches the scheduler.
pub(super) enum Message {
    Event(usize, Event),
    Ended(usize, ExitStatus, String),
    Signal(Asked),
}

/// Forwards a worker's events, and its end.
///
/// Its streams close with it, but a process that it started may keep them open: what they still
/// say is waited for a short time only.
pub(super) fn listen(mut child: Child, slot: usize, sender: Sender<Message>) {
    let (said_all, all_said) = channel();
    if let Some(stdout) = child.stdout.take() {
        let (events, said_all) = (sender.clone(), said_all.clone());
        std::thread::spawn(move || {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Ok(event) = serde_json::from_str(&line) {
                    let _ = events.send(Message::Event(slot, event));
                }
            }
            let _ = said_all.send(None);
        });
    }
    if let Some(stderr) = child.stderr.take() {
        std::thread::spawn(move || {
            let _ = said_all.send(Some(tail(stderr)));
        });
    }
    std::thread::spawn(move || {
        let status = child.wait();
        let status = status.unwrap_or_else(|_| ExitStatus::from_raw(1 << 8));
        let until = Instant::now() + LAST_WORDS;
        let mut stderr = String::new();
        for _ in 0..2 {
            let left = until.saturating_duration_since(Instant::now());
            if let Ok(Some(tail)) = all_said.recv_timeout(left) {
                stderr = tail;
            }
        }
        let _ = sender.send(Message::Ended(slot, status, stderr));
    });
}

/// The end of what a stream says.
fn tail(mut stream: impl std::io::Read) -> String {
    let mut kept = Vec::new();
    let mut chunk = [0; 4096];
    while let Ok(read) = stream.read(&mut chunk) {
        if read == 0 {
            break;
        }
        kept.extend_from_slice(&chunk[..read]);
        if kept.len() > 2 * STDERR_BYTES {
            kept.drain(..kept.len() - STDERR_BYTES);
        }
    }
    String::from_utf8_lossy(&kept).into_owned()
}

/// How many processes the system has killed for lack of memory, where it counts them.
pub(super) fn memory_kills() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/vmstat").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "))?;
    line.trim().parse().ok()
}

/// Cause and words of a worker that did not say itself why it failed.
pub(super) fn failure_cause(status: ExitStatus, stderr: &str, worker: &Worker) -> (String, String) {
    let said = |text: String| {
        let tail = stderr.trim();
        if tail.is_empty() {
            text
        } else {
            format!("{text}\n{tail}")
        }
    };
    let (cause, text) = if worker.timed_out {
        ("time_limit", worker.task.time_limit.message())
    } else if stderr.contains("memory allocation of") {
        (
            "out_of_memory",
            "no memory was left within the limit".to_owned(),
        )
    } else if let Some(signal) = status.signal() {
        let lack = signal == 9 && memory_kills() > worker.memory_kills;
        let hint = match signal {
            9 if lack => ": the system ran out of memory",
            9 => " from outside",
            6 => " (abort)",
            11 => " (invalid memory access)",
            _ => "",
        };
        let cause = if lack { "out_of_memory" } else { "signal" };
        (cause, format!("killed by signal {signal}{hint}"))
    } else if status.code() == Some(101) {
        let line = stderr
            .lines()
            .skip_while(|line| !line.contains("panicked at"))
            .nth(1)
            .unwrap_or("a panic");
        ("panic", format!("panic: {line}"))
    } else {
        let code = status.code().unwrap_or(-1);
        ("error", format!("the worker ended with exit code {code}"))
    };
    (cause.to_owned(), said(text))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_limit_is_beyond_the_clock() {
        for (given, cost) in [
            (None, 1e300),
            (None, f64::NAN),
            (Some(1e300), 0.0),
            (Some(1e9), 0.0),
        ] {
            let limit = TimeLimit::new(given, cost).duration();
            assert!(
                Instant::now().checked_add(limit + limit).is_some(),
                "{given:?} {cost}"
            );
            assert!(!limit.is_zero());
        }
    }
}
