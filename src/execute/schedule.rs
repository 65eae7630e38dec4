//! The scheduler: worker processes, one a trial, until every trial is recorded or has failed.
//!
//! A worker that panics, aborts, is killed or runs too long becomes a failed attempt; the others
//! go on. A trial held by another run is asked for again until that run has recorded it.

use std::collections::VecDeque;
use std::io::{BufRead as _, BufReader, Read as _, Write as _};
use std::os::unix::process::{CommandExt as _, ExitStatusExt as _};
use std::process::{Child, ChildStdin, Command, ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use retrial_core::event::Event;
use retrial_core::study::StudyInfo;

use super::folder::TrialFolders;
use super::job::{EXIT_HELD, EXIT_STOPPED, Job, STOP_LINE};
use super::progress::Display;
use super::seal;
use crate::failure::Failure;

/// How often a trial held by another run is asked for.
const HELD_PAUSE: Duration = Duration::from_millis(300);
/// How much of a worker's standard error is kept.
const STDERR_BYTES: usize = 16 * 1024;

/// A trial to run.
pub(crate) struct Task {
    pub(crate) job: Job,
    pub(crate) study: &'static StudyInfo,
    pub(crate) folders: TrialFolders,
    pub(crate) time_limit: Option<Duration>,
    /// Further attempts allowed in this run.
    pub(crate) retries: u32,
}

/// How trials are run.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Settings {
    /// Worker processes at a time.
    pub(crate) jobs: usize,
    /// Whether the first failure ends the run.
    pub(crate) fail_fast: bool,
}

/// How a run ended.
#[derive(Debug, Default)]
pub(crate) struct Summary {
    /// Trials recorded by this run.
    pub(crate) recorded: usize,
    /// Trials that another run recorded meanwhile.
    pub(crate) elsewhere: usize,
    /// Trials that failed, with what they said.
    pub(crate) failed: Vec<(String, String)>,
    /// Whether the run was stopped before its end.
    pub(crate) interrupted: bool,
}

struct Worker {
    task: Task,
    stdin: ChildStdin,
    process: nix::unistd::Pid,
    started: SystemTime,
    clock: Instant,
    timed_out: bool,
    /// Kills for lack of memory on this machine before the worker began.
    memory_kills: Option<u64>,
    /// What the worker itself said of its failure.
    failure: Option<(String, String)>,
}

enum Message {
    Event(usize, Event),
    Ended(usize, ExitStatus, String),
    Signal,
}

struct Run<'a> {
    settings: Settings,
    queue: VecDeque<Task>,
    /// Trials another run holds, with the time to ask again.
    held: Vec<(Instant, Task)>,
    workers: Vec<Option<Worker>>,
    sender: Sender<Message>,
    display: &'a mut Display,
    summary: Summary,
    stopping: bool,
}

/// Runs all tasks.
pub(crate) fn run(tasks: Vec<Task>, settings: Settings) -> Result<Summary, Failure> {
    let (sender, receiver) = channel();
    let signals = sender.clone();
    ctrlc::set_handler(move || {
        let _ = signals.send(Message::Signal);
    })
    .map_err(|error| Failure::usage(format!("no signal handler: {error}")))?;
    let mut display = Display::new(tasks.len(), settings.jobs);
    let mut run = Run {
        settings,
        queue: tasks.into(),
        held: Vec::new(),
        workers: (0..settings.jobs).map(|_| None).collect(),
        sender,
        display: &mut display,
        summary: Summary::default(),
        stopping: false,
    };
    let result = run.drive(&receiver);
    if result.is_err() {
        run.kill_all();
    }
    let summary = std::mem::take(&mut run.summary);
    display.close();
    result.map(|()| summary)
}

impl Run<'_> {
    fn drive(&mut self, receiver: &Receiver<Message>) -> Result<(), Failure> {
        loop {
            self.take_up_held();
            self.fill()?;
            if self.workers.iter().all(Option::is_none)
                && (self.stopping || (self.queue.is_empty() && self.held.is_empty()))
            {
                return Ok(());
            }
            match receiver.recv_timeout(self.patience()) {
                Ok(Message::Event(slot, event)) => self.event(slot, event),
                Ok(Message::Ended(slot, status, stderr)) => self.ended(slot, status, &stderr)?,
                Ok(Message::Signal) => self.signal(),
                Err(RecvTimeoutError::Timeout) => self.enforce_time_limits(),
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
        }
    }

    /// Starts workers for waiting trials where there is room.
    fn fill(&mut self) -> Result<(), Failure> {
        if self.stopping {
            return Ok(());
        }
        for slot in 0..self.workers.len() {
            while self.workers[slot].is_none() {
                let Some(task) = self.queue.pop_front() else {
                    return Ok(());
                };
                if task.folders.is_recorded() {
                    self.summary.elsewhere += 1;
                    self.display
                        .ended(&label(&task.job), "recorded by another run");
                    continue;
                }
                self.workers[slot] = Some(self.spawn(slot, task)?);
            }
        }
        Ok(())
    }

    fn spawn(&self, slot: usize, task: Task) -> Result<Worker, Failure> {
        let wrong = |error: std::io::Error| Failure::usage(format!("no worker: {error}"));
        let program = std::env::current_exe().map_err(wrong)?;
        let threads = task.job.threads.to_string();
        let mut child = Command::new(program)
            .arg("worker")
            .env("RAYON_NUM_THREADS", threads)
            // A backtrace needs memory that a limited worker may not have left; it then hangs.
            .env("RUST_BACKTRACE", "0")
            // glibc gives big blocks back at once and has them zeroed again page by page; kept,
            // they make a training step of the published nets about a tenth faster.
            .env("MALLOC_MMAP_MAX_", "0")
            .env("MALLOC_TRIM_THRESHOLD_", "17179869184")
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            // Of its own group, so that Ctrl-C reaches the scheduler alone.
            .process_group(0)
            .spawn()
            .map_err(wrong)?;
        let mut stdin = child.stdin.take().ok_or_else(|| wrong(no_pipe()))?;
        let mut line = serde_json::to_string(&task.job)
            .map_err(|error| Failure::usage(format!("no job: {error}")))?;
        line.push('\n');
        // A worker that died at once is met when it is waited for.
        let _ = stdin.write_all(line.as_bytes());
        self.display.started(slot, &label(&task.job));
        let process = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        listen(child, slot, self.sender.clone());
        Ok(Worker {
            task,
            stdin,
            process,
            started: SystemTime::now(),
            clock: Instant::now(),
            timed_out: false,
            memory_kills: memory_kills(),
            failure: None,
        })
    }

    fn event(&mut self, slot: usize, event: Event) {
        let Some(worker) = &mut self.workers[slot] else {
            return;
        };
        self.display.event(slot, &label(&worker.task.job), &event);
        if let Event::Failed { cause, error } = event {
            worker.failure = Some((cause, error));
        }
    }

    fn ended(&mut self, slot: usize, status: ExitStatus, stderr: &str) -> Result<(), Failure> {
        let Some(worker) = self.workers[slot].take() else {
            return Ok(());
        };
        self.display.idle(slot);
        let name = label(&worker.task.job);
        match status.code() {
            Some(0) if worker.task.folders.is_recorded() => {
                self.summary.recorded += 1;
                let seconds = worker.clock.elapsed().as_secs_f64();
                self.display.ended(&name, &format!("{seconds:.1} s"));
                return Ok(());
            }
            Some(code) if code == EXIT_HELD => {
                self.held.push((Instant::now() + HELD_PAUSE, worker.task));
                return Ok(());
            }
            Some(code) if code == EXIT_STOPPED && self.stopping => {
                self.summary.interrupted = true;
                return Ok(());
            }
            _ if self.stopping => {
                self.summary.interrupted = true;
                return Ok(());
            }
            _ => {}
        }
        let (cause, error) = worker
            .failure
            .clone()
            .unwrap_or_else(|| judge(status, stderr, &worker));
        seal::fail(
            &worker.task.job,
            worker.task.study,
            &worker.task.folders,
            &cause,
            &error,
            worker.started,
            worker.clock.elapsed().as_secs_f64(),
        )?;
        let first = error.lines().next().unwrap_or("").to_owned();
        let mut task = worker.task;
        if task.retries > 0 {
            task.retries -= 1;
            task.job.attempt += 1;
            self.display
                .note(&format!("{name}  failed, tried again: {first}"));
            self.queue.push_front(task);
            return Ok(());
        }
        self.display.ended(&name, &format!("failed: {first}"));
        self.summary.failed.push((name, error));
        if self.settings.fail_fast {
            self.stop();
        }
        Ok(())
    }

    fn take_up_held(&mut self) {
        let now = Instant::now();
        let (due, later): (Vec<_>, Vec<_>) = std::mem::take(&mut self.held)
            .into_iter()
            .partition(|(at, _)| *at <= now);
        self.held = later;
        self.queue.extend(due.into_iter().map(|(_, task)| task));
    }

    /// Until something has to be looked at without a message.
    fn patience(&self) -> Duration {
        let now = Instant::now();
        let limits = self.workers.iter().flatten().filter_map(|worker| {
            let limit = worker.task.time_limit?;
            (!worker.timed_out).then(|| (worker.clock + limit).saturating_duration_since(now))
        });
        let held = self
            .held
            .iter()
            .map(|(at, _)| at.saturating_duration_since(now));
        limits
            .chain(held)
            .min()
            .unwrap_or(Duration::from_secs(3600))
    }

    fn enforce_time_limits(&mut self) {
        for worker in self.workers.iter_mut().flatten() {
            let over = worker
                .task
                .time_limit
                .is_some_and(|limit| worker.clock.elapsed() >= limit);
            if over && !worker.timed_out {
                worker.timed_out = true;
                kill(worker);
            }
        }
    }

    fn signal(&mut self) {
        if self.stopping {
            self.kill_all();
            return;
        }
        self.display.note(
            "stopping: trials at work end at their next good moment; once more ends them at once",
        );
        self.summary.interrupted = true;
        self.stop();
    }

    fn stop(&mut self) {
        self.stopping = true;
        self.queue.clear();
        self.held.clear();
        for worker in self.workers.iter_mut().flatten() {
            let _ = writeln!(worker.stdin, "{STOP_LINE}");
        }
    }

    fn kill_all(&mut self) {
        for worker in self.workers.iter().flatten() {
            kill(worker);
        }
    }
}

/// `study/experiment/trial`, as the results folder has it.
fn label(job: &Job) -> String {
    format!("{}/{}/{}", job.study, job.experiment, job.trial)
}

fn kill(worker: &Worker) {
    let _ = nix::sys::signal::kill(worker.process, nix::sys::signal::Signal::SIGKILL);
}

fn no_pipe() -> std::io::Error {
    std::io::Error::other("a standard stream is missing")
}

/// Forwards a worker's events, and its end once both of its streams are closed.
fn listen(mut child: Child, slot: usize, sender: Sender<Message>) {
    let stdout = child.stdout.take();
    let stderr = child.stderr.take();
    std::thread::spawn(move || {
        let errors = std::thread::spawn(move || {
            let mut kept = Vec::new();
            if let Some(mut stderr) = stderr {
                let mut chunk = [0_u8; 4096];
                while let Ok(read) = stderr.read(&mut chunk) {
                    if read == 0 {
                        break;
                    }
                    kept.extend_from_slice(&chunk[..read]);
                    if kept.len() > 2 * STDERR_BYTES {
                        kept.drain(..kept.len() - STDERR_BYTES);
                    }
                }
            }
            String::from_utf8_lossy(&kept).into_owned()
        });
        if let Some(stdout) = stdout {
            for line in BufReader::new(stdout).lines().map_while(Result::ok) {
                if let Ok(event) = serde_json::from_str(&line) {
                    let _ = sender.send(Message::Event(slot, event));
                }
            }
        }
        let status = child.wait();
        let stderr = errors.join().unwrap_or_default();
        let status = status.unwrap_or_else(|_| ExitStatus::from_raw(1 << 8));
        let _ = sender.send(Message::Ended(slot, status, stderr));
    });
}

/// How many processes the system has killed for lack of memory, where it counts them.
fn memory_kills() -> Option<u64> {
    let text = std::fs::read_to_string("/proc/vmstat").ok()?;
    let line = text
        .lines()
        .find_map(|line| line.strip_prefix("oom_kill "))?;
    line.trim().parse().ok()
}

/// Cause and words of a worker that did not say itself why it failed.
fn judge(status: ExitStatus, stderr: &str, worker: &Worker) -> (String, String) {
    let said = |text: String| {
        let tail = stderr.trim();
        if tail.is_empty() {
            text
        } else {
            format!("{text}\n{tail}")
        }
    };
    let (cause, text) = if worker.timed_out {
        let limit = worker.task.time_limit.unwrap_or_default().as_secs_f64();
        (
            "time_limit",
            format!("ran longer than the limit of {limit} s"),
        )
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
