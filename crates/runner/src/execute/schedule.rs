//! The scheduler: worker processes, one a trial, until every trial is recorded or has failed.
//!
//! A worker that panics, aborts, is killed or runs too long becomes a failed attempt; the others
//! go on. A trial held by another run is asked for again until that run has recorded it. Signals
//! reach the scheduler alone: it asks workers to stop, and ends those that do not.

use std::collections::VecDeque;
use std::io::Write as _;
use std::os::unix::fs::MetadataExt as _;
use std::os::unix::process::CommandExt as _;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::time::{Duration, Instant, SystemTime};

use nix::sys::signal::Signal;
use retrial_core::census::count;
use retrial_core::event::Event;
use retrial_core::study::StudyInfo;

use super::executable::Executable;
use super::folder::TrialFolders;
use super::job::{EXIT_ELSEWHERE, EXIT_HELD, Job, STOP_LINE};
use super::lease;
use super::process::{LAST_WORDS, Message, TimeLimit, Worker, failure_cause, listen, memory_kills};
use super::progress::Display;
use super::record_file;
use super::signals::{self, Asked};
use crate::failure::Failure;

/// How often a trial held by another run is asked for.
const HELD_PAUSE: Duration = Duration::from_millis(300);
/// How often the results folder is looked at.
const LOOK: Duration = Duration::from_secs(1);
/// How long workers have to come to a good moment once they were asked to stop.
const GRACE: Duration = Duration::from_secs(10);

/// A trial to run.
pub(crate) struct Task {
    pub(crate) job: Job,
    pub(crate) study: &'static StudyInfo,
    pub(crate) folders: TrialFolders,
    pub(crate) time_limit: TimeLimit,
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
    /// Trials recorded by this run, each as `study/experiment/trial`.
    pub(crate) recorded: Vec<String>,
    /// Trials that another run recorded meanwhile.
    pub(crate) elsewhere: Vec<String>,
    /// Trials that failed, with what they said.
    pub(crate) failed: Vec<(String, String)>,
    /// Whether the run was stopped before its end.
    pub(crate) interrupted: bool,
}

struct Run<'a> {
    settings: Settings,
    results: Opened,
    queue: VecDeque<Task>,
    /// Trials another run holds, with the time to ask again.
    held: Vec<(Instant, Task)>,
    workers: Vec<Option<Worker>>,
    program: Executable,
    sender: Sender<Message>,
    display: &'a mut Display,
    summary: Summary,
    /// Since when no trial is begun any more.
    stopping: Option<Instant>,
    /// When the last signal came that would be obeyed at once the next time.
    asked: Option<Instant>,
    /// Since when workers that did not stop are dead or should be.
    killed: Option<Instant>,
}

/// The results folder as it was opened.
struct Opened {
    path: PathBuf,
    /// Device and inode.
    id: (u64, u64),
}

impl Opened {
    fn new(path: &Path) -> std::io::Result<Self> {
        let data = std::fs::metadata(path)?;
        Ok(Self {
            path: path.to_owned(),
            id: (data.dev(), data.ino()),
        })
    }

    /// An error where another folder, or none, bears its name now: what a trial wrote there would
    /// be parted from the others.
    fn is_there(&self) -> Result<(), Failure> {
        if Self::new(&self.path).is_ok_and(|now| now.id == self.id) {
            return Ok(());
        }
        Err(Failure::storage(format!(
            "{} was moved or replaced during the run; what was recorded lies where it is now, and \
             `retrial run` goes on from there",
            self.path.display()
        )))
    }
}

/// Runs all tasks, which are of one results folder.
pub(crate) fn run(tasks: Vec<Task>, settings: Settings) -> Result<Summary, Failure> {
    let Some(task) = tasks.first() else {
        return Ok(Summary::default());
    };
    let results = task.job.results.clone();
    lease::probe(&results)?;
    let unread = |error| Failure::storage(format!("{}: {error}", results.display()));
    let results = Opened::new(&results).map_err(unread)?;
    let wrong = |error| Failure::usage(format!("the workers have no program: {error}"));
    let program = Executable::running().map_err(wrong)?;
    let (sender, receiver) = channel();
    let asked = sender.clone();
    let _routed = signals::route(move |signal| {
        let _ = asked.send(Message::Signal(signal));
    });
    let mut display = Display::new(tasks.len(), settings.jobs);
    let mut run = Run {
        settings,
        results,
        queue: tasks.into(),
        held: Vec::new(),
        workers: (0..settings.jobs).map(|_| None).collect(),
        program,
        sender,
        display: &mut display,
        summary: Summary::default(),
        stopping: None,
        asked: None,
        killed: None,
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
            self.results.is_there()?;
            self.take_up_held();
            self.fill()?;
            let idle = self.workers.iter().all(Option::is_none);
            let stopping = self.stopping.is_some();
            if idle && (stopping || (self.queue.is_empty() && self.held.is_empty())) {
                return Ok(());
            }
            if self.killed.is_some_and(|at| at.elapsed() > LAST_WORDS * 2) {
                self.display
                    .note("a worker that was killed is still there; the system holds it");
                return Ok(());
            }
            match receiver.recv_timeout(self.patience()) {
                Ok(Message::Event(slot, event)) => self.event(slot, event),
                Ok(Message::Ended(slot, status, stderr)) => self.ended(slot, status, &stderr)?,
                Ok(Message::Signal(asked)) => self.signal(asked),
                Err(RecvTimeoutError::Timeout) => {}
                Err(RecvTimeoutError::Disconnected) => return Ok(()),
            }
            self.enforce_time_limits();
            self.display.heartbeat();
        }
    }

    /// Starts workers for waiting trials where there is room.
    fn fill(&mut self) -> Result<(), Failure> {
        if self.stopping.is_some() {
            return Ok(());
        }
        for slot in 0..self.workers.len() {
            while self.workers[slot].is_none() {
                let Some(task) = self.queue.pop_front() else {
                    return Ok(());
                };
                if task.folders.is_recorded() {
                    let name = label(&task.job);
                    self.display.ended(&name, "recorded by another run");
                    self.summary.elsewhere.push(name);
                    continue;
                }
                self.workers[slot] = Some(self.spawn(slot, task)?);
            }
        }
        Ok(())
    }

    fn spawn(&mut self, slot: usize, task: Task) -> Result<Worker, Failure> {
        self.results.is_there()?;
        let wrong = |error: std::io::Error| Failure::usage(format!("no worker: {error}"));
        let threads = task.job.threads.to_string();
        let mut command = self.program.command();
        command
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
            .process_group(0);
        let mut child = signals::shielded(|| command.spawn()).map_err(wrong)?;
        let mut stdin = child.stdin.take().ok_or_else(|| wrong(no_pipe()))?;
        let mut line = serde_json::to_string(&task.job)
            .map_err(|error| Failure::usage(format!("no job: {error}")))?;
        line.push('\n');
        // A worker that died at once is met when it is waited for.
        let _ = stdin.write_all(line.as_bytes());
        self.display.taken_up(slot, &label(&task.job));
        let process = nix::unistd::Pid::from_raw(i32::try_from(child.id()).unwrap_or(i32::MAX));
        listen(child, slot, self.sender.clone());
        Ok(Worker {
            task,
            stdin,
            process,
            started: SystemTime::now(),
            clock: Instant::now(),
            waited: Duration::ZERO,
            waiting_since: None,
            timed_out: false,
            memory_kills: memory_kills(),
            failure: None,
        })
    }

    fn event(&mut self, slot: usize, event: Event) {
        let Some(worker) = &mut self.workers[slot] else {
            return;
        };
        self.display.event(slot, &event);
        match event {
            Event::Failed { cause, error } => worker.failure = Some((cause, error)),
            Event::Waiting { .. } => worker.waiting_since = Some(Instant::now()),
            Event::Waited { .. } => {
                let since = worker.waiting_since.take();
                worker.waited += since.map_or(Duration::ZERO, |since| since.elapsed());
            }
            _ => {}
        }
    }

    fn ended(&mut self, slot: usize, status: ExitStatus, stderr: &str) -> Result<(), Failure> {
        let Some(worker) = self.workers[slot].take() else {
            return Ok(());
        };
        self.results.is_there()?;
        self.display.idle(slot);
        let name = label(&worker.task.job);
        match status.code() {
            Some(0) if worker.task.folders.is_recorded() => {
                let seconds = worker.clock.elapsed().as_secs_f64();
                self.display.ended(&name, &format!("{seconds:.1} s"));
                self.summary.recorded.push(name);
                return Ok(());
            }
            Some(code) if code == EXIT_ELSEWHERE && worker.task.folders.is_recorded() => {
                self.display.ended(&name, "recorded by another run");
                self.summary.elsewhere.push(name);
                return Ok(());
            }
            Some(code) if code == EXIT_HELD => {
                self.held.push((Instant::now() + HELD_PAUSE, worker.task));
                return Ok(());
            }
            // Whatever ends now may have been ended by the stop.
            _ if self.stopping.is_some() => return Ok(()),
            _ => {}
        }
        let (cause, error) = worker
            .failure
            .clone()
            .unwrap_or_else(|| failure_cause(status, stderr, &worker));
        record_file::fail(
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
        let limits = self.workers.iter().flatten().filter_map(Worker::deadline);
        let grace = self.stopping.map(|at| at + GRACE);
        let gone = self.killed.map(|at| at + LAST_WORDS * 2);
        let limits = limits
            .chain(grace.filter(|_| self.killed.is_none()))
            .chain(gone)
            .map(|at| at.saturating_duration_since(now));
        let held = self
            .held
            .iter()
            .map(|(at, _)| at.saturating_duration_since(now));
        limits
            .chain(held)
            .chain([self.display.until_heartbeat(), LOOK])
            .min()
            // Rounded up, so that the moment has come when it is looked at.
            .map_or(HELD_PAUSE, |left| left + Duration::from_millis(1))
    }

    fn enforce_time_limits(&mut self) {
        for worker in self.workers.iter_mut().flatten() {
            if worker.deadline().is_some_and(|at| Instant::now() >= at) {
                worker.timed_out = true;
                worker.kill();
            }
        }
        let overdue = self.stopping.is_some_and(|at| at.elapsed() >= GRACE);
        if overdue && self.killed.is_none() {
            let late = self.workers.iter().flatten().count();
            if late > 0 {
                let (late, seconds) = (count(late, "trial"), GRACE.as_secs());
                self.display.note(&format!(
                    "{late} did not come to a good moment within {seconds} s and ended at once; \
                     the next run goes on from the last checkpoint"
                ));
            }
            self.kill_all();
        }
    }

    fn signal(&mut self, asked: Asked) {
        if asked == Asked::Pause {
            self.pause();
            return;
        }
        if asked == Asked::Stop {
            let again = self
                .asked
                .is_some_and(|at| at.elapsed() > signals::ONE_STOP);
            self.asked.get_or_insert_with(Instant::now);
            if again {
                self.kill_all();
                return;
            }
        }
        self.summary.interrupted = true;
        if self.stopping.is_none() {
            self.display.note(
                "stopping: trials at work end at their next good moment; once more ends them at \
                 once",
            );
            self.stop();
        }
    }

    /// Stands still with all workers until this process goes on. The time counts for no limit.
    fn pause(&mut self) {
        let since = Instant::now();
        self.signal_all(Signal::SIGSTOP);
        signals::pause();
        self.signal_all(Signal::SIGCONT);
        for worker in self.workers.iter_mut().flatten() {
            worker.clock += since.elapsed();
            worker.waiting_since = worker.waiting_since.map(|at| at + since.elapsed());
        }
        self.stopping = self.stopping.map(|at| at + since.elapsed());
    }

    fn signal_all(&self, signal: Signal) {
        for worker in self.workers.iter().flatten() {
            let _ = nix::sys::signal::kill(worker.process, signal);
        }
    }

    fn stop(&mut self) {
        self.stopping = Some(Instant::now());
        self.queue.clear();
        self.held.clear();
        for worker in self.workers.iter_mut().flatten() {
            let _ = writeln!(worker.stdin, "{STOP_LINE}");
        }
    }

    fn kill_all(&mut self) {
        self.killed.get_or_insert_with(Instant::now);
        self.signal_all(Signal::SIGKILL);
    }
}

/// `study/experiment/trial`, as the results folder has it.
fn label(job: &Job) -> String {
    format!("{}/{}/{}", job.study, job.experiment, job.trial)
}

fn no_pipe() -> std::io::Error {
    std::io::Error::other("a standard stream is missing")
}
